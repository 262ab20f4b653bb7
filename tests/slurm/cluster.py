"""A Slurm cluster of one node on this machine's loopback, for tests.

    python tests/slurm/cluster.py

starts one and keeps it until Ctrl-C. It needs root and Debian's packages slurm-wlm and munge, which
it installs. The daemons run in the foreground under a folder of their own, without systemd and
without a database, and are stopped through their own process ids.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = {"slurm-wlm": ["slurmctld", "slurmd", "sbatch", "squeue"], "munge": ["munged", "munge"]}
# Slurm's programs look here; SLURM_CONF does not help, since the executor plugin removes it.
CONFIG = Path("/etc/slurm/slurm.conf")
# Memory limits are enforced by polling, since control groups may not be available.
SETTINGS = """\
ClusterName=plrf-test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=3
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=24:00:00 DefaultTime=00:05:00 State=UP
"""


class ClusterError(RuntimeError):
    """The cluster cannot be brought up here; the message says why."""


def install() -> None:
    """Install Debian's packages where they are missing.

    Raises
    ------
    ClusterError
        If that is not possible: not root, or not a Debian.
    """
    if os.geteuid() != 0:
        raise ClusterError("the Slurm of the tests runs as root: call as root, or in a container")
    missing = [name for name, programs in PACKAGES.items() if not all(map(shutil.which, programs))]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(f"no apt-get here: install {' and '.join(missing)} by other means")
    print(f"Installing {' and '.join(missing)} ...", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    options = ["-qq", "--yes", "--no-install-recommends"]
    for command in (["apt-get", "-qq", "update"], ["apt-get", "install", *options, *missing]):
        process = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
        if process.returncode != 0:
            raise ClusterError(f"{' '.join(command)} failed:\n{process.stdout}{process.stderr}")


@dataclass
class Cluster:
    """A running cluster: its folder, and its daemons by name."""

    folder: Path
    daemons: dict[str, subprocess.Popen]

    def start(self, name: str, *arguments: str | Path) -> None:
        """Start a daemon in the foreground of a session of its own."""
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                [name, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        """Stop a daemon."""
        daemon = self.daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def start_controller(self) -> None:
        """Start the controller, and wait until it answers."""
        self.start("slurmctld", "-D")
        self.wait_for("the controller answers", lambda: "UP" in output("scontrol", "ping"))

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for a condition while all daemons live."""
        end = time.monotonic() + seconds
        while not condition():
            dead = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if dead or time.monotonic() > end:
                logs = "\n".join(
                    f"{p.name}:\n{p.read_text(encoding='utf-8')}" for p in self.folder.glob("*.out")
                )
                reason = f"{', '.join(dead)} ended" if dead else f"not within {seconds} s"
                raise ClusterError(f"{what}: {reason}\n{logs}")
            time.sleep(0.1)

    def jobs(self, fields: str = "%i %T") -> list[list[str]]:
        """Fields of the jobs that are queued, run, or ended a short time ago."""
        text = output("squeue", "-h", "-t", "all", "-o", fields)
        return [line.split() for line in text.splitlines()]


def output(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    process = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    return process.stdout if process.returncode == 0 else ""


def settings(folder: Path) -> str:
    """Configuration of the cluster; it claims more cores than there are: jobs mostly wait."""
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return SETTINGS.format(
        host=socket.gethostname().partition(".")[0],
        folder=folder,
        cpus=4 * (os.cpu_count() or 1),
        memory=megabytes - 1024,
    )


def start_daemons(cluster: Cluster) -> None:
    """Start munge, the controller and the node's daemon, each when the last one is ready."""
    folder = cluster.folder
    key, munge_socket = folder / "munge.key", folder / "munge.socket"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    names = {"log-file": "munge.log", "pid-file": "munge.pid", "seed-file": "munge.seed"}
    places = [f"--{option}={folder / name}" for option, name in names.items()]
    own = [f"--key-file={key}", f"--socket={munge_socket}", *places]
    cluster.start("munged", "--foreground", "--force", *own)
    cluster.wait_for("munge answers", lambda: bool(output("munge", "-n", "-S", str(munge_socket))))
    cluster.start_controller()
    cluster.start("slurmd", "-D")
    cluster.wait_for("the node is idle", lambda: "idle" in output("sinfo", "-h", "-o", "%T"))


@contextmanager
def link_configuration(folder: Path) -> Iterator[None]:
    """Put the configuration where Slurm's programs look, if no other one is there."""
    if CONFIG.is_symlink() and not CONFIG.exists():
        CONFIG.unlink()  # left by a run that was killed
    if os.path.lexists(CONFIG):
        raise ClusterError(f"{CONFIG} belongs to another Slurm: stop it, or test elsewhere")
    file = folder / "slurm.conf"
    file.write_text(settings(folder), encoding="utf-8")
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.symlink_to(file)
    try:
        yield
    finally:
        CONFIG.unlink()


@contextmanager
def one_node_cluster() -> Iterator[Cluster]:
    """A cluster of one node, for the time of a with statement."""
    install()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="plrf-slurm-")))
        folder.chmod(0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        stack.enter_context(link_configuration(folder))
        cluster = Cluster(folder, {})
        try:
            start_daemons(cluster)
            yield cluster
        finally:
            # Jobs first: without its daemon, a job step would stay behind.
            if "slurmctld" in cluster.daemons and cluster.daemons["slurmctld"].poll() is None:
                subprocess.run(["scancel", "--quiet", "--user", "root"], timeout=60)
                cluster.wait_for("jobs are gone", lambda: not output("squeue", "-h"))
            for name in reversed(list(cluster.daemons)):
                cluster.stop(name)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        with one_node_cluster() as running:
            print(f"Slurm runs in {running.folder}; Ctrl-C stops it", flush=True)
            signal.pause()
    except ClusterError as error:
        sys.exit(f"No cluster: {error}")
    except KeyboardInterrupt:
        pass
