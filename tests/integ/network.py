# SPDX-License-Identifier: Apache-2.0
"""A network of this process' own, and of all it starts afterwards: there the document's ports are free and its host names are known.

    network.own({"kafka": "127.0.0.1"})      True when the kernel allows it (root, or user namespaces)
"""
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import tempfile

NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)


def call(result):
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def become_root_here():
    """Without root: root of a user namespace, which may have a network."""
    uid, gid = os.getuid(), os.getgid()
    call(libc.unshare(NEWUSER))
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def name_hosts(hosts):
    """A hosts file over the machine's own, for this process and its children."""
    with tempfile.NamedTemporaryFile("w", prefix="vigie-hosts-", delete=False) as f:
        f.write("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items()))
    os.chmod(f.name, 0o644)
    call(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    call(libc.mount(f.name.encode(), b"/etc/hosts", None, MS_BIND, None))
    os.unlink(f.name)


def own(hosts):
    try:
        if os.getuid():
            become_root_here()
        call(libc.unshare(NEWNET | NEWNS))
        with socket.socket() as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
        name_hosts(hosts)
    except OSError as e:
        print(f"no network of our own ({e}): the machine's is used", flush=True)
        return False
    return True
