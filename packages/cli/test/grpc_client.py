"""A client of `reelkeep serve` on grpcio, without generated code: the contract is read at run time.

usage: grpc_client.py HOST:PORT DESCRIPTOR_SET...

Reads one JSON command a line and prints one JSON answer a line; `subscribe` prints one for each response. What it does
not expect ends it with a traceback.
"""

import hashlib
import hmac
import json
import sys
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SERVICE = "reelkeep.v1.RecordingService"
METHOD = "alibaba.cgame.avatar.video.record.report"
DEADLINE_S = 15
# Longer than any test needs: what should have been refused ends all the same.
SUBSCRIPTION_S = 30
POOL = descriptor_pool.DescriptorPool()
FILES = {}


def load(path):
	with open(path, "rb") as file:
		for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
			FILES[proto.name] = proto
			POOL.AddSerializedFile(proto.SerializeToString())


def message(name):
	descriptor = POOL.FindMessageTypeByName(name)
	# protobuf 4.22 has the first, 4.21 the second only.
	if hasattr(message_factory, "GetMessageClass"):
		return message_factory.GetMessageClass(descriptor)
	return message_factory.MessageFactory(POOL).GetPrototype(descriptor)


def fill(name, values):
	return json_format.ParseDict(values, message(name)(), descriptor_pool=POOL)


def to_dict(one):
	return json_format.MessageToDict(one, descriptor_pool=POOL)


def method(channel, kind, service, name):
	"""`kind` is grpcio's own: unary_unary, stream_unary, ..."""
	descriptor = POOL.FindServiceByName(service).methods_by_name[name]
	return getattr(channel, kind)(
		f"/{service}/{name}",
		request_serializer=lambda request: request.SerializeToString(),
		response_deserializer=message(descriptor.output_type.full_name).FromString,
	)


def metadata_of(command, more=()):
	token = command.get("token")
	return [*more, *([] if token is None else [("authorization", f"Bearer {token}")])]


def sign(report):
	"""The other parameters of a TOP call, as docs/top-protocol.md has them; {} for a report that is not signed."""
	if "sign" not in report:
		return {}
	secret, scheme = report["sign"]["secret"].encode(), report["sign"].get("scheme", "md5")
	parameters = {
		"method": METHOD,
		"app_key": report["sign"]["appKey"],
		"timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600)),
		"v": "2.0",
		"sign_method": scheme,
	}
	signed = {**parameters, "request_param": report["requestParam"]}
	text = "".join(name + signed[name] for name in sorted(signed)).encode()
	if scheme == "md5":
		digest = hashlib.md5(secret + text + secret)
	else:
		digest = hmac.new(secret, text, {"hmac": hashlib.md5, "hmac-sha256": hashlib.sha256}[scheme])
	return {**parameters, "sign": digest.hexdigest().upper()}


def to_request(report, name):
	if "callback" in report:
		return fill(name, {"callback": report["callback"]})
	return message(name)(request_param=report.get("sent", report["requestParam"]).encode())


def report_one(channel, command):
	call = method(channel, "unary_unary", SERVICE, "ReportRecording")
	parameters = [(f"top-{name}", value) for name, value in sign(command).items()]
	request = to_request(command, "reelkeep.v1.ReportRecordingRequest")
	return call(request, timeout=DEADLINE_S, metadata=metadata_of(command, parameters))


def report_all(channel, command):
	def requests():
		for report in command["reports"]:
			one = to_request(report, "reelkeep.v1.ReportRecordingRequest")
			yield message("reelkeep.v1.ReportRecordingsRequest")(report=one, top_parameters=sign(report))

	call = method(channel, "stream_unary", SERVICE, "ReportRecordings")
	return call(requests(), timeout=DEADLINE_S, metadata=metadata_of(command))


def check_health(channel, command):
	call = method(channel, "unary_unary", "grpc.health.v1.Health", "Check")
	request = fill("grpc.health.v1.HealthCheckRequest", {"service": command.get("service", "")})
	return call(request, timeout=DEADLINE_S)


def subscribe(channel, command):
	"""Ends with an error, or with this process."""
	call = method(channel, "unary_stream", SERVICE, "SubscribeEvents")
	request = fill("reelkeep.v1.SubscribeEventsRequest", command.get("request", {}))
	for response in call(request, timeout=SUBSCRIPTION_S, metadata=metadata_of(command)):
		answer("OK", response=to_dict(response))
	raise AssertionError("the subscription ended without an error")


def reflect(channel, _command):
	"""The names of the services, and the contract as the server tells it: letter by letter that of the descriptor set?"""
	call = method(channel, "stream_stream", "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo")
	requests = [{"listServices": ""}, {"fileContainingSymbol": SERVICE}]
	name = "grpc.reflection.v1.ServerReflectionRequest"
	listed, found = call(iter([fill(name, request) for request in requests]), timeout=DEADLINE_S)
	files = map(descriptor_pb2.FileDescriptorProto.FromString, found.file_descriptor_response.file_descriptor_proto)
	return {
		"services": sorted(service.name for service in listed.list_services_response.service),
		"files": {file.name: file == FILES[file.name] for file in files},
	}


def details_of(error):
	"""google.rpc's details, out of the trailer."""
	raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
	status = message("google.rpc.Status").FromString(raw or b"")
	names = [one.type_url.rsplit("/", 1)[-1] for one in status.details]
	return {name: to_dict(message(name).FromString(one.value)) for name, one in zip(names, status.details)}


def answer(code, **more):
	print(json.dumps({"code": code, **more}), flush=True)


COMMANDS = {
	"report": report_one,
	"report-all": report_all,
	"health": check_health,
	"subscribe": subscribe,
	"reflect": reflect,
}


def run(channel, command):
	try:
		response = COMMANDS[command["do"]](channel, command)
		answer("OK", response=response if isinstance(response, dict) else to_dict(response))
	except grpc.RpcError as error:
		answer(error.code().name, message=error.details(), details=details_of(error))


def main(address, *paths):
	for path in paths:
		load(path)
	# A proxy of this machine's environment is none of 127.0.0.1's business.
	with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
		for line in sys.stdin:
			run(channel, json.loads(line))


main(*sys.argv[1:])
