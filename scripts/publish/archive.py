"""Pack the results with their configuration, provenance and checksums.

The archive is fit for a repository such as Zenodo: `sha256sum --check SHA256SUMS` verifies it.
"""

import hashlib
import json
import tarfile
from io import BytesIO
from pathlib import Path

from plrf.study.store import replacing


def checksum(path: str) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_in_archive(file: str, record: str) -> str:
    """Path of a file within the archive's folder."""
    return Path(file).relative_to(Path(record).parent).as_posix()


def pack(files: list[str], record: str, path: str) -> None:
    """Write the archive: one folder with the files, config.json and SHA256SUMS.

    Parameters
    ----------
    files : list of str
        The files to pack, below the folder of ``record``.
    record : str
        The JSON file of provenance; it names the folder.
    path : str
        The archive.
    """
    provenance = json.loads(Path(record).read_text(encoding="utf-8"))
    folder = f"plrf-{provenance['plrf_version']}-{provenance['config_hash'][:8]}"
    config = json.dumps(provenance["config"], indent=2).encode()
    sums = {name_in_archive(file, record): checksum(file) for file in files}
    sums["config.json"] = hashlib.sha256(config).hexdigest()
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    with replacing(path) as temporary, tarfile.open(temporary, "w:gz") as archive:
        for file in files:
            archive.add(file, f"{folder}/{name_in_archive(file, record)}")
        for name, data in {"config.json": config, "SHA256SUMS": lines.encode()}.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))


if __name__ == "__main__":
    from plrf.study.logs import log_to

    log_to(snakemake.log[0])
    files = [*snakemake.input.results, *snakemake.input.tables, snakemake.input.provenance]
    pack(files, snakemake.input.provenance, snakemake.output[0])
