"""Runs a command on a terminal of its own and types each answer once its question has appeared.

usage: ask.py QUESTION ANSWER [QUESTION ANSWER]... -- COMMAND [ARGUMENT]...
Prints what the terminal showed and exits as the command did.
"""
import os
import pty
import sys

split = sys.argv.index("--")
dialogue, command = sys.argv[1:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)


def read():
    try:
        return os.read(terminal, 4096)
    except OSError:  # the command has ended and closed its side
        return b""


for question, answer in zip(dialogue[::2], dialogue[1::2]):
    shown = b""
    while question.encode() not in shown:
        part = read()
        if not part:
            sys.exit(f"{question!r} was never asked, but {shown!r}")
        shown += part
    sys.stdout.buffer.write(shown)
    os.write(terminal, answer.encode())
while part := read():
    sys.stdout.buffer.write(part)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
