"""A job in an image of its own: a packed copy of the guest book for each day; those of a month are kept."""

import datetime
import gzip
import pathlib
import shutil

folder = pathlib.Path("/data")
book = folder / "entries.jsonl"
if not book.exists():
    raise SystemExit("nothing to archive yet")

target = folder / f"archive-{datetime.date.today():%Y-%m-%d}.jsonl.gz"
with book.open("rb") as source, gzip.open(target, "wb") as packed:
    shutil.copyfileobj(source, packed)
for old in sorted(folder.glob("archive-*.jsonl.gz"))[:-31]:
    old.unlink()
print(f"{target.name}: {target.stat().st_size} bytes")
