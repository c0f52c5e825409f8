"""A running demo shop for black-box tests: real servers, the real program, one directory."""
import argparse
import json
import signal
import subprocess
import sys
import time

from cli import PROGRAM, ROOT, machine

import demo  # of examples/shop, where cli looks too


class Shop(demo.Demo):
    """The demo's shop without its script: tests strike and recover as they like."""

    def __init__(self, directory, rate=40, calm=1.0):
        super().__init__(argparse.Namespace(directory=str(directory), lifeboat=PROGRAM, rate=rate,
                                            calm=calm, pause=False, keep=False, json=None))

    def command(self, *words):
        return [*self.lifeboat, *words, "--plan", str(self.plan), "--state", str(self.state)]

    def start(self, *words):
        """Starts lifeboat in the background; output is collected."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, cwd=self.home)

    def ask(self, *words):
        done = self.run(*words, "--json", quiet=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def wait_open(self, limit=60):
        """The outside check: a purchase passes."""
        done = subprocess.run([sys.executable, str(ROOT / "examples/shop/load.py"), "watch", "--url", self.url,
                               "--timeout", str(limit)], capture_output=True, text=True)
        return json.loads(done.stdout)

    def missing(self, struck):
        """Of the orders acknowledged, those that are missing since this strike."""
        return machine.verify(ROOT / "examples/shop/load.py", self.url, self.ledger, struck,
                              self.home / "customers" / "missing")["orders"]

    def stop(self):
        if self.load:
            self.load.send_signal(signal.SIGTERM)
            self.load.communicate(timeout=20)
            self.load = None
        machine.kill_below(self.home)


def now_us():
    return time.time_ns() // 1000
