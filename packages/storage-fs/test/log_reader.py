"""Reads an event log at rest, as docs/event-log-format.md says: prints each event as a line of JSON, in order.

python3 log_reader.py DATA_DIRECTORY     exit code 0, or 1 with the damage on standard error
"""
import json, os, re, sys, zlib


def fail(segment, offset, what):
    sys.exit("%s, byte %d: %s" % (segment, offset, what))


def lines_of(path):
    """Each complete line with its place: (offset, object, or None when it is unsound)."""
    with open(path, "rb") as file:
        content = file.read()
    offset = 0
    while (end := content.find(b"\n", offset)) != -1:
        line = content[offset:end]
        body, crc = line[:-18], re.fullmatch(rb',"crc":"([0-9a-f]{8})"\}', line[-18:])
        sound = crc is not None and int(crc[1], 16) == zlib.crc32(body)
        yield offset, json.loads(line) if sound else None
        offset = end + 1


def read(directory):
    events = os.path.join(directory, "events")
    names = sorted(name for name in os.listdir(events) if re.fullmatch(r"\d{8}\.ndjson", name))
    position, versions, loose = 0, {}, False
    for number, name in enumerate(names, 1):
        lines, last = lines_of(os.path.join(events, name)), number == len(names)
        if name != "%08d.ndjson" % number:
            fail(name, 0, "segment %d is missing" % number)
        offset, header = next(lines, (0, None))
        if not header or header.get("reelkeep") != "event-log" or header["segment"] != number:
            fail(name, 0, "no header")
        if header["format"] != 1 or int(header["firstPosition"]) != position + 1:
            fail(name, 0, "another format, or events are missing in front of it")
        append, torn, cut_at = [], None, 0
        for offset, line in lines:
            if torn is not None:  # Only what proves that more had been durable is of interest.
                if line and int(line.get("synced", line.get("lost", "0"))) > position:
                    fail(name, torn, "the event at position %d is damaged" % (position + 1))
                continue
            if line and "lost" in line and int(line["lost"]) == position + len(append) + 1:
                yield from append
                position, append, loose = int(line["to"]), [], True
                continue
            before = append[-1] if append else None
            known = versions.get(line["stream"], 0) if line and "stream" in line else 0
            sound = line and "stream" in line and int(line["position"]) == position + len(append) + 1
            sound = sound and (line["version"] > known if loose else line["version"] == known + 1)
            if not sound or before and (before["stream"], before["remaining"] - 1) != (line["stream"], line["remaining"]):
                torn = offset
                continue
            versions[line["stream"]] = line["version"]
            append.append(line)
            if line["remaining"] == 0:
                yield from append
                position, append = position + len(append), []
        if (torn is not None or append) and not last:
            fail(name, torn or offset, "the event at position %d is damaged" % (position + 1))


for event in read(sys.argv[1]):
    for member in ("remaining", "synced", "crc"):
        del event[member]
    print(json.dumps(event, ensure_ascii=True, separators=(",", ":")))
