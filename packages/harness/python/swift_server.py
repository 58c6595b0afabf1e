"""OpenStack Swift with its S3 API for tests: all four servers in one process, on 127.0.0.1 only.

Started by src/swift.ts: swift_server.py FOLDER ACCOUNT USER SECRET BUCKET DOMAIN; prints its port when it is ready, and
ends when its standard input does. Needs Debian's python3-swift.
"""

import os
import socket
import sys

import eventlet

eventlet.patcher.monkey_patch()

import eventlet.wsgi  # noqa: E402
from eventlet.green import select  # noqa: E402
from swift.common import utils, wsgi  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.swob import Request  # noqa: E402

FOLDER, ACCOUNT, USER, SECRET, BUCKET, DOMAIN = sys.argv[1:7]

SWIFT = """
[swift-hash]
swift_hash_path_suffix = reelkeep
[storage-policy:0]
name = Policy-0
default = yes
"""

STORAGE = """
[DEFAULT]
devices = {folder}/devices
swift_dir = {folder}
mount_check = false
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
# What was stored is in the next listing.
container_update_timeout = 30
"""

FILTERS = ["catch_errors", "gatekeeper", "listing_formats", "bulk", "s3api", "tempauth", "slo", "dlo", "symlink"]

PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = {filters} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
node_timeout = 60
recoverable_node_timeout = 60
conn_timeout = 30
{sections}
"""

SETTINGS = {
    "tempauth": "user_{account}_{user} = {secret} .admin",
    # Parts of any size: tests are quicker with small ones.
    "s3api": "s3_acl = false\nlocation = us-east-1\nstorage_domain = {domain}\nmin_segment_size = 1",
}


class Cache:
    """In place of memcached: what the proxy knows of the account and the bucket, which stay as they are."""

    def __init__(self):
        self.values = {}

    def get(self, key, *args, **options):
        return self.values.get(key)

    def set(self, key, value, *args, **options):
        self.values[key] = value

    def delete(self, key, *args, **options):
        self.values.pop(key, None)


def write(name, text):
    path = os.path.join(FOLDER, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def listen():
    listener = eventlet.listen(("127.0.0.1", 0), backlog=256)
    # Inherited by what it accepts; without it each answer waits for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(listener, app):
    eventlet.spawn(
        eventlet.wsgi.server,
        listener,
        app,
        utils.NullLogger(),
        protocol=SwiftHttpProtocol,
        socket_timeout=120,
        # The SDK looks for "ETag".
        capitalize_response_headers=False,
    )


def with_cache(app):
    cache = Cache()

    def handle(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return handle


def start_storage(kind):
    listener = listen()
    builder = RingBuilder(4, 1, 1)
    place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": listener.getsockname()[1], "device": "d"}
    builder.add_dev({**place, "weight": 1})
    builder.rebalance()
    builder.get_ring().save(os.path.join(FOLDER, kind + ".ring.gz"))
    conf = write(kind + "-server.conf", STORAGE.format(folder=FOLDER, kind=kind))
    serve(listener, wsgi.loadapp(conf))


def load_proxy():
    values = {"account": ACCOUNT, "user": USER, "secret": SECRET, "domain": DOMAIN}
    sections = [f"[filter:{name}]\nuse = egg:swift#{name}\n{SETTINGS.get(name, '').format(**values)}" for name in FILTERS]
    text = PROXY.format(folder=FOLDER, filters=" ".join(FILTERS), sections="\n".join(sections))
    return with_cache(wsgi.loadapp(write("proxy-server.conf", text)))


def create_bucket(app):
    request = Request.blank(f"/v1/AUTH_{ACCOUNT}/{BUCKET}", method="PUT")
    request.environ.update({"swift.authorize_override": True, "swift.authorize": lambda request: None})
    response = request.get_response(app)
    if response.status_int >= 300:
        sys.exit(f"the bucket cannot be created: {response.status}")


os.makedirs(os.path.join(FOLDER, "devices", "d"))
write("swift.conf", SWIFT)
utils.set_swift_dir(FOLDER)
for kind in ("account", "container", "object"):
    start_storage(kind)
proxy = load_proxy()
create_bucket(proxy)
listener = listen()
serve(listener, proxy)
print(listener.getsockname()[1], flush=True)
while True:
    select.select([0], [], [])
    if os.read(0, 1024) == b"":
        break
