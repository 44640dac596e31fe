"""The calls of a test: one JSON object a line, {id, method, arguments} in, {id, result} or {id, error} out."""

import asyncio
import json
import sys
import traceback


async def serve(methods):
    """Answers calls with `methods`, coroutine functions by their names, until there are no more."""
    loop = asyncio.get_running_loop()
    tasks = set()

    async def answer(call):
        try:
            reply = {"result": await methods[call["method"]](*call["arguments"])}
        except Exception:
            reply = {"error": traceback.format_exc()}
        print(json.dumps({"id": call["id"], **reply}), flush=True)

    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        task = loop.create_task(answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
