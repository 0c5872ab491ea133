# SPDX-License-Identifier: Apache-2.0
"""The package on a bare Debian 12 (debootstrap minbase): installed from Debian's archive, run as its unit would, upgraded, removed, purged.

The unit is read by systemd-analyze; its command is run with its user, environment files and NOTIFY_SOCKET; and the bare system is
booted, so that systemd itself starts the service. The bare system is kept in VIGIE_CACHE, so that the next run need not make it.
"""
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

import containers  # first: it knows where the integration tests' modules are
import peers

DEB = pathlib.Path(sys.argv[1]).resolve()
UNIT = containers.ROOT / "packaging" / "debian" / "vigie.service"
MIRROR = os.environ.get("VIGIE_DEBIAN", "http://deb.debian.org/debian")
EXPOSURE_MAX = 1.5  # of systemd-analyze security; a bare unit has 9.6


def run(*argv, check=True, **kw):
    p = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=900, **kw)
    assert not check or p.returncode == 0, f"{shlex.join(str(a) for a in argv)}: {p.stdout[-1500:]}"
    return p.stdout


def bare_system(home):
    base = peers.CACHE / "bookworm-minbase.tar"
    with peers.cache_lock("bookworm-minbase"):
        if not base.exists():
            print("making a bare Debian 12 (once)", flush=True)
            with tempfile.TemporaryDirectory(dir=peers.CACHE) as work:
                run("debootstrap", "--variant=minbase", "bookworm", f"{work}/root", MIRROR)
                run("tar", "-C", f"{work}/root", "-cf", f"{work}/base.tar", ".")
                os.rename(f"{work}/base.tar", base)
    root = home / "root"
    root.mkdir()
    run("tar", "-C", root, "-xf", base)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    for conf in pathlib.Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(conf, root / "etc" / "apt" / "apt.conf.d")
    return root


class Bed:
    root = port = None


def inside(*argv, user=None, **kw):
    who = [f"--userspec={user}"] if user else []
    return run("chroot", *who, Bed.root, *argv, **kw)


def install(deb):
    shutil.copy(deb, Bed.root / "tmp" / "vigie.deb")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    return inside("apt-get", "install", "-y", "-q", "--no-install-recommends", "/tmp/vigie.deb", env=env)


def traces():
    """What is there of vigie, outside the package manager's own records."""
    skip = re.compile(r"^\./(proc|sys|tmp|var/lib/dpkg|var/log|var/cache)")
    names = run("find", ".", "-name", "*vigie*", cwd=Bed.root).split()
    return [n for n in names if not skip.match(n)]


def repacked(version, edit):
    """The package as a later version, its tree changed by edit(root)."""
    with tempfile.TemporaryDirectory() as work:
        tree = pathlib.Path(work, "tree")
        run("dpkg-deb", "-R", DEB, tree)
        control = tree / "DEBIAN" / "control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
        edit(tree)
        run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, f"{work}/later.deb")
        return install(f"{work}/later.deb")


def test_installs_with_what_it_depends_on():
    inside("apt-get", "update", "-q")
    install(DEB)
    assert "ok installed" in inside("dpkg-query", "-W", "-f=${Status}", "vigie")
    assert inside("vigie", "version").startswith("vigie ")
    state = (Bed.root / "var/lib/vigie").stat()
    assert inside("id", "-u", "vigie").strip() == str(state.st_uid) and state.st_mode & 0o777 == 0o750
    assert (Bed.root / "etc/vigie/secrets.env").stat().st_mode & 0o777 == 0o600
    assert inside("dpkg", "--verify", "vigie") == ""


def test_links_stand_beside_debians_packages():
    for link in sorted((Bed.root / "usr/lib/vigie/bin").iterdir()):
        said = inside(f"/usr/lib/vigie/bin/{link.name}", "--help")
        assert "usage:" in said, f"{link.name}: {said}"
    assert "version" in inside("/usr/lib/vigie/bin/prometheus", "--version")


def test_service_is_enabled():
    assert (Bed.root / "etc/systemd/system/multi-user.target.wants/vigie.service").is_symlink()


def test_unit_is_hardened():
    said = run("systemd-analyze", "security", "--offline=true", UNIT)
    exposure = float(re.search(r"Overall exposure level for vigie.service: ([\d.]+)", said)[1])
    print(f"   exposure {exposure}", flush=True)
    assert exposure <= EXPOSURE_MAX, said


def test_unit_is_understood():
    inside("apt-get", "install", "-y", "-q", "--no-install-recommends", "systemd", env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    said = inside("systemd-analyze", "verify", "--man=no", "/lib/systemd/system/vigie.service", check=False)
    assert "vigie.service" not in said, said


BOOT = """set -e
mount --make-rprivate /
mount --bind {root} {root}
cd {root}
mount -t proc proc proc
mount -t sysfs sysfs sys 2>/dev/null || mount --rbind /sys sys
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
fi
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
ip link set lo up
mkdir -p old
pivot_root . old
umount -l old
exec env -i container=vigie-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
"""


def test_runs_under_systemd():
    """The bare system is booted as a container is: systemd starts the service, reloads it, ends it."""
    argv = ["unshare", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "sh", "-c", BOOT.format(root=Bed.root)]
    with peers.Process(argv, Bed.root / "tmp/boot.log") as p:
        children = pathlib.Path(f"/proc/{p.p.pid}/task/{p.p.pid}/children")
        try:
            init = peers.wait_for(lambda: p.alive() and children.read_text().strip(), 10, "the bare system to boot")

            def there(*words):
                return run("nsenter", "-t", init, "-a", "--root", *words, check=False).strip()
            def state():
                return there("systemctl", "show", "-p", "ActiveState,ExecMainStatus", "vigie")
            peers.wait_for(lambda: "ActiveState=active" in state() or "ExecMainStatus=226" in state(), 60, f"the service to start: {state()}")
            if "ActiveState=active" not in state():
                # Making /dev anew takes a right that a virtual machine's sandbox may keep back; all else of the unit stays.
                print("   device nodes cannot be made here: without PrivateDevices", flush=True)
                there("sh", "-c", "mkdir -p /run/systemd/system/vigie.service.d && printf '[Service]\\nPrivateDevices=no\\n' >/run/systemd/system/vigie.service.d/x.conf")
                there("systemctl", "daemon-reload")
                there("systemctl", "restart", "vigie")
            peers.wait_for(lambda: "ActiveState=active" in state(), 20, f"the service to be active: {state()}")
            peers.wait_for(lambda: there("vigie", "healthcheck").count("healthy (200)") == 5, 20, "five healthy roles")
            there("systemctl", "reload", "vigie")
            said = 'msg="Completed loading of configuration file" filename='
            peers.wait_for(lambda: there("journalctl", "-u", "vigie", "--no-pager").count(said) >= 2, 20, "the reload to be told")
            there("systemctl", "stop", "vigie")
            assert there("systemctl", "show", "-p", "Result", "vigie") == "Result=success"
        except BaseException:
            print(p.text()[-500:], file=sys.stderr)
            raise
        finally:
            p.kill()  # unshare minds no SIGTERM; all inside ends with it


def unit_value(key):
    return re.search(rf"^{key}=(.*)$", (Bed.root / "lib/systemd/system/vigie.service").read_text(), re.M)[1]


def test_runs_as_its_unit_says():
    ports = {r: peers.free_port() for r in ("kafka-exporter", "jmx-exporter", "prometheus", "alertmanager")}
    page = peers.free_port()
    flags = " ".join(f"--{r}.web.listen-address=127.0.0.1:{p}" for r, p in ports.items())
    default = Bed.root / "etc/default/vigie"
    shipped = default.read_text()
    default.write_text(f'VIGIE_FLAGS="--kafka=127.0.0.1:1 {flags} --grafana.http-port={page} --alertmanager.cluster.listen-address="\n')
    (Bed.root / "etc/vigie/secrets.env").write_text("SLACK_WEBHOOK_URL=http://127.0.0.1:1/\n")
    path = f"{Bed.root}/run/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        os.chmod(path, 0o777)
        manager.settimeout(20)
        start = f"set -a; . /etc/default/vigie; . /etc/vigie/secrets.env; cd {unit_value('WorkingDirectory')}; exec chroot --userspec={unit_value('User')}:{unit_value('Group')} --skip-chdir / {unit_value('ExecStart')}"
        run("mount", "-t", "proc", "proc", Bed.root / "proc")
        try:
            with peers.Process(["chroot", Bed.root, "sh", "-c", start], Bed.root / "tmp/log", env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": "/run/notify"}) as p:
                said = manager.recv(100)
                assert said == b"READY=1", said
                urls = [f"http://127.0.0.1:{ports['prometheus']}/-/healthy", f"http://127.0.0.1:{page}/api/health", f"http://127.0.0.1:{ports['alertmanager']}/-/healthy"]
                peers.wait_for(lambda: peers.listening(ports["kafka-exporter"]), 20, "the collectors")
                assert inside("vigie", "healthcheck", *urls).count("healthy (200)") == 3
                assert "SLACK_WEBHOOK_URL is not set" not in p.text() and "SMTP_PASSWORD is not set" in p.text(), p.text()
                assert p.stop() == 0
                assert manager.recv(100) == b"STOPPING=1"
        finally:
            run("umount", Bed.root / "proc")
    owners = {f.stat().st_uid for f in (Bed.root / "var/lib/vigie").rglob("*")}
    assert owners == {int(inside("id", "-u", "vigie"))}, owners
    default.write_text(shipped)


def test_an_upgrade_keeps_what_the_user_wrote():
    mine = Bed.root / "etc/vigie/prometheus.yml"
    mine.write_text(mine.read_text() + "# mine\n")
    def edit(tree):
        rules = tree / "etc/vigie/rules/kafka-alerts.yaml"
        rules.write_text(rules.read_text() + "# of the later version\n")
    repacked("9.0", edit)
    assert mine.read_text().endswith("# mine\n")
    assert (Bed.root / "etc/vigie/rules/kafka-alerts.yaml").read_text().endswith("# of the later version\n"), "an untouched file is renewed"
    assert (Bed.root / "etc/vigie/secrets.env").read_text().startswith("SLACK_WEBHOOK_URL="), "the secrets stay"
    assert list((Bed.root / "var/lib/vigie").iterdir()), "the samples stay"


def test_removal_keeps_configuration_and_samples():
    inside("dpkg", "--remove", "vigie")
    assert not (Bed.root / "usr/bin/vigie").exists()
    assert (Bed.root / "etc/vigie/prometheus.yml").exists() and list((Bed.root / "var/lib/vigie").iterdir())


def test_purge_leaves_nothing():
    inside("dpkg", "--purge", "vigie")
    assert traces() == [], traces()
    assert "vigie" not in (Bed.root / "etc/passwd").read_text() + (Bed.root / "etc/group").read_text()


if __name__ == "__main__":
    if os.getuid():
        sys.exit("this test needs root")
    with tempfile.TemporaryDirectory(prefix="vigie-deb-") as top:
        Bed.root = bare_system(pathlib.Path(top))
        peers.run(test_installs_with_what_it_depends_on, test_links_stand_beside_debians_packages, test_service_is_enabled, test_unit_is_hardened,
                  test_unit_is_understood, test_runs_under_systemd,
                  test_runs_as_its_unit_says, test_an_upgrade_keeps_what_the_user_wrote, test_removal_keeps_configuration_and_samples,
                  test_purge_leaves_nothing)
