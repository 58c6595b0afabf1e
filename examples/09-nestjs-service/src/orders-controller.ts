import { Body, Controller, Post } from "@nestjs/common";

/** The service's own route, behind Nest's body parser. */
@Controller("orders")
export class OrdersController {
	@Post()
	order(@Body() body: { readonly item: string }): { readonly ordered: string } {
		return { ordered: body.item };
	}
}
