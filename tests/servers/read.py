"""What python's email package, which knows nothing of us, reads in a message (standard input): a line a part, then what
is odd. Checked by hand: line ends and lengths, folding, headers that must be there once, ids and dates, base64, pictures.
With FILE, the message as it was sent, also whether it is still that message as a DKIM signature sees it: RFC 6376 section
3.4, headers and body in relaxed canonical form."""
import base64, datetime, email, email.policy, email.utils, hashlib, re, sys, zlib

raw = sys.stdin.buffer.read()
# A maildir has LF; the last server's own headers are before ours.
message = email.message_from_bytes(raw, policy=email.policy.default)
ours = raw[raw.index(b"\nDate: ") + 1:]
odd = []


def headers_of(text):
    """Names and values as they stand, folded."""
    return re.findall(rb"^([!-9;-~]+):((?:.|\n[ \t])*)\n", text, re.M)


def check_lines():
    if b"\r" in raw or b"\0" in raw:
        odd.append("a bare CR, or a NUL")
    if any(len(line) > 998 for line in raw.split(b"\n")):
        odd.append("a long line")
    if not ours.isascii() and not any(b"SMTPUTF8" in value or b"UTF8SMTP" in value for _, value in headers_of(raw)):
        odd.append("8-bit")
    head = ours[:ours.index(b"\n\n")]
    for line in head.split(b"\n"):
        if not line.strip() or line != line.rstrip():
            odd.append("a blank header line, or blanks at the end of one: %r" % line)
        # One word of an id cannot be folded.
        if len(line) > 78 and len(line.split()) > 2:
            odd.append("not folded: %r" % line)
        if not re.match(rb"[ \t]+\S|[!-9;-~]+: ", line):
            odd.append("no header: %r" % line)


def check_headers():
    for name in ["Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type"]:
        if len(message.get_all(name, [])) != 1:
            odd.append("%d of %s" % (len(message.get_all(name, [])), name))
    for name in ["Bcc", "Cc", "Sender", "Reply-To", "Auto-Submitted", "In-Reply-To", "References"]:
        if len(message.get_all(name, [])) > 1:
            odd.append("%d of %s" % (len(message.get_all(name, [])), name))
    for name in ["Message-ID", "In-Reply-To", "References"]:
        for one in message.get(name, "<a@b>").split():
            if not re.fullmatch(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>", one):
                odd.append("%s: %s" % (name, one))
    date = email.utils.parsedate_to_datetime(message["Date"])
    if message["Date"][:3] != date.strftime("%a"):
        odd.append("the day of the week")
    if abs(datetime.datetime.now(datetime.timezone.utc) - date) > datetime.timedelta(hours=1):
        odd.append("the date")
    if len(message["From"].addresses) != 1 or not message["From"].addresses[0].domain:
        odd.append("From")


def relaxed_headers(text):
    return [(n.lower(), re.sub(rb"[ \t]+", b" ", v.replace(b"\n", b"")).strip()) for n, v in headers_of(text)]


def relaxed_body(text):
    return b"\n".join(re.sub(rb"[ \t]+", b" ", line).rstrip() for line in text.split(b"\n")).rstrip(b"\n")


def check_signed(sent):
    # The first line is the spool's own.
    sent = sent.split(b"\n", 1)[1]
    if sent.count(b"\n") != sent.count(b"\r\n") or sent.count(b"\r") != sent.count(b"\n"):
        odd.append("not CRLF alone")
    sent = sent.replace(b"\r\n", b"\n")
    for text in [sent, ours]:
        if b"\n\n" not in text:
            odd.append("no body")
    (head, body), (head2, body2) = [text.split(b"\n\n", 1) for text in [sent, ours]]
    if relaxed_headers(head + b"\n") != relaxed_headers(head2 + b"\n"):
        odd.append("headers were changed on the way")
    if relaxed_body(body) != relaxed_body(body2):
        odd.append("the body was changed on the way")


def check_picture(part, data):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        odd.append("no PNG")
    at, pixels, kinds = 8, b"", []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        kinds.append(kind)
        if zlib.crc32(kind + body) != int.from_bytes(data[at + 8 + size:at + 12 + size], "big"):
            odd.append("CRC of %r" % kind)
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = [int.from_bytes(body[a:b], "big") for a, b in
                [(0, 4), (4, 8), (8, 9), (9, 10), (10, 11), (11, 12), (12, 13)]]
        if kind == b"IDAT":
            pixels += body
        at += 12 + size
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    line = (width * depth * samples + 7) // 8 + 1
    pixels = zlib.decompress(pixels)
    if kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or interlaced or len(pixels) != line * height:
        odd.append("%d bytes of a picture of %dx%d" % (len(pixels), width, height))
    if any(pixels[at] > 4 for at in range(0, len(pixels), line)) or len(set(pixels)) < 4:
        odd.append("nothing in the picture")
    html = message.get_body(("html",)).get_content()
    if 'src="cid:%s"' % part["Content-ID"].strip("<>") not in html:
        odd.append("the picture is not in the HTML")


def check_parts():
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    if kinds[0] != "text/plain":
        odd.append("%s before the text" % kinds[0])
    for part in message.walk():
        odd.extend(str(defect) for defect in part.defects)
        for value in part.values():
            odd.extend(str(defect) for defect in getattr(value, "defects", []))
        if part.is_multipart():
            if part.preamble or part.epilogue:
                odd.append("text outside of the parts")
            print(part.get_content_type())
            continue
        how = part.get("Content-Transfer-Encoding", "7bit")
        if how not in ["7bit", "base64"]:
            odd.append("encoding %s" % how)
        if how == "base64":
            text = part.get_payload()
            if any(len(line) > 76 for line in text.split("\n")):
                odd.append("a long line of base64")
            base64.b64decode(text.replace("\n", ""), validate=True)
        data = part.get_payload(decode=True)
        what = part.get_content_disposition() or "-"
        sum = hashlib.sha256(data).hexdigest()[:16]
        print("%s %s %s %d %s" % (part.get_content_type(), what, part.get_filename(), len(data), sum))
        if part.get_content_type() == "text/plain" and what == "-":
            print("text: %r" % part.get_content().replace("\r\n", "\n")[:60])
        if part.get_content_type() == "image/png":
            check_picture(part, data)


print("id: %s" % message["Message-ID"])
print("subject: %s" % message["Subject"])
print("to: %s" % ", ".join(a.addr_spec for a in message["To"].addresses))
check_lines()
check_headers()
if len(sys.argv) > 1:
    check_signed(open(sys.argv[1], "rb").read())
check_parts()
print("odd: %s" % ("; ".join(odd) or "nothing"))
