"""Bytes: packing, compressing, hashing, encoding, archives in memory, memory views."""

import array
import base64
import binascii
import bz2
import gzip
import hashlib
import hmac
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

DATA = b"the quick brown fox jumps over the lazy dog " * 1000

for name in ("md5", "sha1", "sha256", "sha3_256", "blake2b"):
    print(name, hashlib.new(name, DATA).hexdigest()[:32])
print("hmac", hmac.new(b"key", DATA, "sha256").hexdigest()[:32])
print("pbkdf2", hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10_000).hex()[:32])
print("crc", zlib.crc32(DATA), zlib.adler32(DATA))

for module in (zlib, gzip, bz2, lzma):
    packed = module.compress(DATA)
    print(module.__name__, module.decompress(packed) == DATA, len(packed) < 1000)

record = struct.pack("<4sHIqd?", b"SBX1", 513, 1 << 31, -5, 0.1, True)
print(len(record), record.hex(" ", 4), struct.unpack("<4sHIqd?", record))
print(base64.b64encode(record[:9]), base64.b85decode(base64.b85encode(record)) == record)
print(
    binascii.hexlify(b"\x00\xff"), int.from_bytes(b"\x01\x00", "big"), (1000).to_bytes(2, "little")
)

view = memoryview(bytearray(range(16)))
view[4:8] = b"\xff" * 4
print(bytes(view[::3]), view.cast("I")[1], array.array("h", [1, -2, 300]).tobytes())
print("naïve ☕".encode(), "ü".encode("latin-1"), b"\xff\xfeh\x00".decode("utf-16"))
print(b"caf\xc3".decode(errors="replace"), "☕".encode("ascii", "xmlcharrefreplace"))

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a/b.txt", DATA)
    archive.writestr("c.txt", "ü")
with zipfile.ZipFile(buffer) as archive:
    print(archive.namelist(), archive.testzip(), archive.read("c.txt").decode())
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
    member = tarfile.TarInfo("data.bin")
    member.size = len(DATA)
    tar.addfile(member, io.BytesIO(DATA))
buffer.seek(0)
with tarfile.open(fileobj=buffer) as tar:
    print(tar.getnames(), tar.extractfile("data.bin").read() == DATA)  # type: ignore[union-attr]
