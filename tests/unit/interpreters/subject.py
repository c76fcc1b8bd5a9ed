# SPDX-License-Identifier: Apache-2.0
# Goes to places, says its own frames there (script_process.hpp), and waits. Run as: python3 -c BOOT THIS_TEXT FILE_NAME
import asyncio
import os
import sys
import threading


def put(*fields):
    text = "\t".join(str(field) for field in fields) + "\n"
    os.write(1, text.encode("utf-8", "surrogatepass").replace(b"\xed\xb2\x80", b"\xef\xbf\xbd"))


def say(frame):
    while frame is not None:
        code = frame.f_code
        put("frame", getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno or 0)
        frame = frame.f_back
    put("thread", threading.get_ident(), threading.get_native_id())
    put("ready")


def wait():
    say(sys._getframe()); os.read(0, 1) or os._exit(0)


class OrderRepo:
    def __init__(self, then=None):
        self.rows = 3
        if then is not None:
            then(
            )

    def fetch(self, depth, then):
        if depth == 0:
            return then()
        for _ in range(1):
            value = self.fetch(
                depth - 1,
                then,
            )
        return value

    @classmethod
    def open(cls, then):
        return cls().fetch(3, then)

    @staticmethod
    def plain(then): return then()

    @property
    def lazy(self):
        return [wait() for _ in range(1)]

    def __enter__(self):
        wait()

    def __exit__(self, *_):
        pass


def closures():
    local = 7

    def nested(more):
        def innermost(then):
            return (
                local,
                then(),
                more,
            )
        return innermost
    return nested(1)(wait)


def multi_line():
    return (OrderRepo.plain(lambda: dict(
        one=1,
        two=str(
            wait(),
        ),
        three=3,
    )))


def generators():
    def one():
        yield 0
        yield wait()

    def two():
        yield from one()
    return list(two())


def from_c():
    return sorted([2], key=lambda number: list(map(lambda more: wait(), [number])))


def handlers():
    try:
        try:
            raise ValueError(
                "one")
        finally:
            wait()
    except ValueError:
        with OrderRepo():
            wait()


def constructors():
    # Often enough for the interpreter to specialize the call.
    def make(then):
        return OrderRepo(then)

    for _ in range(2000):
        make(None)
    make(wait)


def hot():
    def inner(number, then):
        return then() if number == 2999 else number

    for number in range(3000):
        inner(
            number,
            wait)


def names():
    space = {"wait": wait}
    for name, path in (("caf\xe9", "/srv/caf\xe9/m\xf6del.py"), ("\u0444\u0443\u043d\u043a", "/srv/\u2603.py"),
                       ("plain", "/srv/\U0001f40d/x.py"), ("odd", "/srv/\udc80.py"), ("plain", "nowhere"),
                       ("long", "/srv/" + "x" * 4000 + ".py")):
        exec(compile("\n" * 300 + "def " + name + "():\n  pass\n  wait(\n)\n" + name + "()", path, "exec"), space)
    def loud(): wait()
    code = loud.__code__.replace(co_name="\U0001f40d")
    if hasattr(code, "co_qualname"):
        code = code.replace(co_qualname="\U0001f40d")
    loud.__code__ = code
    loud()


def deep(depth):
    if depth == 0:
        wait()
    else:
        deep(depth - 1)


def traced():
    sys.settrace(lambda *_: None)
    closures()
    sys.settrace(None)


def in_thread():
    thread = threading.Thread(target=OrderRepo.open, args=(wait,))
    thread.start()
    thread.join()


async def coroutine(depth):
    await asyncio.sleep(0)
    if depth == 0:
        async with Connection() as c:
            wait()
    else:
        await coroutine(
            depth - 1)


class Connection:
    async def __aenter__(self):
        wait()
        return self

    async def __aexit__(self, *_):
        async for _ in self.rows():
            wait()

    async def rows(self):
        yield 1


def in_asyncio():
    async def main():
        await asyncio.gather(
            coroutine(3))
    asyncio.run(main())


def tables(code):
    table = code.co_linetable if sys.version_info >= (3, 10) else code.co_lnotab
    if sys.version_info >= (3, 10):
        ranges = list(code.co_lines())
    else:
        import dis
        starts = list(dis.findlinestarts(code)) + [(len(code.co_code), None)]
        ranges = [(a[0], b[0], a[1]) for a, b in zip(starts, starts[1:])]
    put("table", table.hex() or "-", code.co_firstlineno,
        " ".join("%d %d %d" % (start, end, line or 0) for start, end, line in ranges if start < end))
    for inner in code.co_consts:
        if hasattr(inner, "co_consts"):
            tables(inner)


def main():
    # What runs first loads no shared library that tells of the version.
    wait()
    for place in (lambda: OrderRepo.open(wait), closures, multi_line, lambda: OrderRepo().lazy, generators, from_c,
                  handlers, constructors, hot, names, lambda: deep(20), traced, in_thread, in_asyncio):
        place()
    import argparse, inspect, typing
    for module in argparse, inspect, typing:
        source = inspect.getsource(module)
        tables(compile(source + "\n" * 5000 + "last = 1\n", "x", "exec"))
    put("thread", threading.get_ident(), threading.get_native_id())
    put("ready")
    os.read(0, 1)


main()
