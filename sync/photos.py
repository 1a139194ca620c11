"""What both ends agree on about photos: sizes of chunks and files, types told by the bytes."""

MIN_CHUNK_BYTES, MAX_CHUNK_BYTES = 32 * 1024, 256 * 1024
MAX_PHOTO_BYTES = 32 * 1024 * 1024
UPLOAD_DAYS = 30
SIZES = {"thumb": 240, "screen": 1080, "full": 2560}  # longest side of the clean copies, pixels

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def sniff(head: bytes) -> str | None:
    """The type that the first bytes tell, whatever a name or header claims; None for none of ours."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    return None
