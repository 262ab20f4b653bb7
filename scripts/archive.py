"""Pack the results with their configuration, provenance and checksums: `make archive`.

The archive is fit for a repository such as Zenodo: `sha256sum --check SHA256SUMS` verifies it.
"""

import hashlib
import json
import sys
import tarfile
from io import BytesIO
from pathlib import Path

# What only the workflow itself needs.
LEFT_OUT = ("logs", "benchmarks", "archive")


def archived_files(results: Path) -> list[Path]:
    """Files of the results that are packed, sorted."""
    files = (path for path in results.rglob("*") if path.is_file())
    kept = (path for path in files if path.relative_to(results).parts[0] not in LEFT_OUT)
    return sorted(path for path in kept if not path.name.startswith("."))


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(results: Path) -> Path:
    """Write ``results/archive/plrf-VERSION-HASH.tar.gz`` and return its path.

    Raises
    ------
    FileNotFoundError
        If there is no provenance: the workflow has not finished.
    """
    record = results / "provenance.json"
    if not record.exists():
        raise FileNotFoundError(f"{record} is missing: let the workflow finish first")
    content = json.loads(record.read_text(encoding="utf-8"))
    name = f"plrf-{content['plrf_version']}-{content['config_hash'][:8]}"
    path = results / "archive" / f"{name}.tar.gz"
    path.parent.mkdir(exist_ok=True)
    files = archived_files(results)
    lines = [f"{checksum(file)}  {file.relative_to(results)}\n" for file in files]
    sums = "".join(lines).encode()
    config = json.dumps(content["config"], indent=2).encode()
    extra = {"config.json": config, "SHA256SUMS": sums}
    extra["SHA256SUMS"] += f"{hashlib.sha256(config).hexdigest()}  config.json\n".encode()
    temporary = path.with_suffix(".tmp")
    with tarfile.open(temporary, "w:gz") as archive:
        for file in files:
            archive.add(file, f"{name}/{file.relative_to(results)}")
        for title, data in extra.items():
            entry = tarfile.TarInfo(f"{name}/{title}")
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))
    temporary.replace(path)
    return path


if __name__ == "__main__":
    try:
        print(pack(Path("results")))
    except FileNotFoundError as error:
        sys.exit(str(error))
