"""What python's email package, which knows nothing of us, reads in a message (standard input): a line a part, then what
is odd. Headers that must be there once, line lengths and line ends are checked by hand."""
import email, email.policy, email.utils, hashlib, sys, zlib

raw = sys.stdin.buffer.read()
# The last server's own headers are before ours.
message = email.message_from_bytes(raw, policy=email.policy.default)
odd = []
for name in ["Date", "From", "To", "Message-ID", "Subject", "MIME-Version"]:
    if len(message.get_all(name, [])) != 1:
        odd.append("%d of %s" % (len(message.get_all(name, [])), name))
if email.utils.parsedate_to_datetime(message["Date"]) is None:
    odd.append("Date")
if any(len(line) > 998 for line in raw.split(b"\n")):
    odd.append("a long line")
ours = raw[raw.index(b"\nDate: ") + 1:]
if not ours.isascii():
    odd.append("8-bit")
for part in message.walk():
    odd.extend(str(defect) for defect in part.defects)
    for value in part.values():
        odd.extend(str(defect) for defect in getattr(value, "defects", []))
print("subject: %s" % message["Subject"])
print("to: %s" % ", ".join(a.addr_spec for a in message["To"].addresses))
for part in message.walk():
    if part.is_multipart():
        print(part.get_content_type())
        continue
    data = part.get_payload(decode=True)
    what = part.get_content_disposition() or "-"
    print("%s %s %s %d %s" % (part.get_content_type(), what, part.get_filename(), len(data), hashlib.sha256(data).hexdigest()[:16]))
    if part.get_content_type() == "text/plain" and what == "-":
        print("text: %r" % part.get_content().replace("\r\n", "\n")[:60])
    if part.get_content_type() == "image/png":
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            odd.append("no PNG")
        at, pixels = 8, b""
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], "big")
            kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
            if zlib.crc32(kind + body) != int.from_bytes(data[at + 8 + size:at + 12 + size], "big"):
                odd.append("CRC of %r" % kind)
            if kind == b"IDAT":
                pixels += body
            at += 12 + size
        zlib.decompress(pixels)
        html = message.get_body(("html",)).get_content()
        if "cid:" + part["Content-ID"].strip("<>") not in html:
            odd.append("the picture is not in the HTML")
print("odd: %s" % ("; ".join(odd) or "nothing"))
