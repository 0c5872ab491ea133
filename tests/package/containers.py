# SPDX-License-Identifier: Apache-2.0
"""As much of a container runtime as a compose file of ours needs: namespaces, bind mounts, chroot, another user.

    image = Image("build/vigie-image.tar", home)
    c = Container(image, service, home)      service: as `docker-compose config` gives it
    c.exec("nc", "-zv", "kafka", "9092")
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integ"))
import peers  # noqa: E402


class Image:
    """Checks every digest on the way, unpacks the layers in order."""

    def __init__(self, path, home):
        self.root = home / "image"
        self.root.mkdir()
        with tarfile.open(path) as tar:
            def blob(descriptor):
                data = tar.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
                assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"] and len(data) == descriptor["size"]
                return data
            index = json.load(tar.extractfile("index.json"))
            manifest = json.loads(blob(index["manifests"][0]))
            whole = json.loads(blob(manifest["config"]))
            self.config = whole["config"]
            for layer, diff in zip(manifest["layers"], whole["rootfs"]["diff_ids"], strict=True):
                data = gzip.decompress(blob(layer))
                assert "sha256:" + hashlib.sha256(data).hexdigest() == diff
                with tarfile.open(fileobj=io.BytesIO(data)) as part:
                    part.extractall(self.root)


class Container:
    """One service, running. Needs root."""

    def __init__(self, image, service, home):
        self.name = service["container_name"]
        self.image, self.service, self.home = image, service, home
        self.root = home / self.name
        subprocess.run(["cp", "-al", image.root, self.root], check=True)
        user, group = image.config["User"].split(":")
        self.user = ["--userspec", f"{user}:{group}", "--groups="]
        self.ids = ["-S", user, "-G", group]
        self.env = dict(row.split("=", 1) for row in image.config["Env"])
        self.env.update({k: v for k, v in (service.get("environment") or {}).items() if v is not None})
        argv = [*image.config["Entrypoint"], *(service.get("command") or image.config["Cmd"])]
        script = "\n".join(["set -e", *self.mounts(), f"exec chroot {' '.join(self.user)} {self.root} {shlex.join(argv)}"])
        self.p = peers.Process(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script], home / f"{self.name}.log", env={**self.env, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        try:
            self.pid = int(peers.wait_for(self.child, 10, f"{self.name} to start"))
        except BaseException:
            self.p.kill()
            raise

    def child(self):
        return pathlib.Path(f"/proc/{self.p.p.pid}/task/{self.p.p.pid}/children").read_text().strip()

    def volume(self, name, target):
        """A new volume takes content and owner from the folder of the image that it covers, as Docker has it."""
        folder = self.home / "volumes" / name
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            like = self.image.root / target.lstrip("/")
            if like.is_dir():
                shutil.copytree(like, folder)
                os.chown(folder, like.stat().st_uid, like.stat().st_gid)
            else:
                folder.mkdir()
        return folder

    def mounts(self):
        """Everything is mounted, then the root file system becomes read-only, as the compose file wants it."""
        lines = [f"mount --bind {self.root} {self.root}"]
        for folder in ("proc", "dev"):
            (self.root / folder).mkdir(exist_ok=True)
        lines += [f"mount -t proc proc {self.root}/proc", f"mount --rbind /dev {self.root}/dev"]
        for row in sorted(self.service.get("volumes") or [], key=lambda r: r.split(":")[1]):
            source, target, mode = (row.split(":") + ["rw"])[:3]
            source = pathlib.Path(source) if source.startswith("/") else self.volume(source, target)
            at = self.root / target.lstrip("/")
            if at.is_symlink():
                at.unlink()
            if source.is_dir():
                at.mkdir(parents=True, exist_ok=True)
            else:
                at.parent.mkdir(parents=True, exist_ok=True)
                at.touch()
            lines.append(f"mkdir -p {at} 2>/dev/null || true; mount --bind {source} {at}")
            lines += [f"mount -o remount,bind,ro {at}"] if mode == "ro" else []
        (self.root / "etc" / "hosts").write_text(pathlib.Path("/etc/hosts").read_text())
        return [*lines, f"mount -o remount,bind,ro {self.root}"]

    def exec(self, *argv):
        """docker exec: (exit code, what it said)."""
        run = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "--root", "--wd", *self.ids, *argv], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=30, env=self.env, check=False)
        return run.returncode, run.stdout

    def healthy(self):
        kind, *argv = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        return self.exec(*argv)[0] == 0

    def status(self, key):
        rows = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines() if ":\t" in line)
        return rows[key].split()

    def logs(self):
        return self.p.text()

    def stop(self):
        """SIGTERM to the program, as docker stop; its exit code."""
        if self.p.alive():
            os.kill(self.pid, 15)
            try:
                self.p.p.wait(20)
            except subprocess.TimeoutExpired:
                self.p.kill()
        return self.p.stop()
