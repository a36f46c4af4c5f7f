"""Notebooks of reopened datums in a Jupyter server: their kernels have the pipeline's packages."""

import asyncio
import contextlib
import json
import threading

import nbformat
import pytest

from tests.wheels import HAS_UV, offline_uv, write_ipykernel, write_tiny


@pytest.mark.skipif(not HAS_UV, reason="needs uv, which scripts/setup.sh installs")
async def test_a_server_starts_the_kernel_that_a_reopened_notebook_names(
    call, served_lake, root, jp_fetch, jp_serverapp, tmp_path, monkeypatch
):
    write_tiny(tmp_path / "wheels", "1.0")
    write_ipykernel(tmp_path / "wheels")
    for name, value in offline_uv(tmp_path, tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a", "1")
    cells = [nbformat.v4.new_code_cell('raw = out = ""', metadata={"tags": ["parameters"]})]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "n.ipynb")
    spec = {
        "pipeline": "p",
        "notebook": "n.ipynb",
        "input": {"repo": {"name": "raw", "glob": "/"}},
        "environment": {"requirements": ["tiny"]},
    }
    source = {"spec": spec, "folder": ""}
    job = (await call("createPipeline", json_body=source, expect=201)).json["latest_job"]
    await asyncio.to_thread(served_lake.run_controller, until_idle=True)
    made = (await call("reopenJob", job=job["id"], datum=0, expect=201)).json
    wanted = nbformat.read(root / made["notebook"], as_version=4).metadata.kernelspec
    assert wanted.display_name.endswith(" of p")
    specs = json.loads((await jp_fetch("api", "kernelspecs")).body)["kernelspecs"]
    assert specs[wanted.name]["spec"]["display_name"] == wanted.display_name
    body = json.dumps({"name": wanted.name})
    kernel_id = json.loads((await jp_fetch("api", "kernels", method="POST", body=body)).body)["id"]
    client = jp_serverapp.kernel_manager.get_kernel(kernel_id).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        code = "import tiny; assert tiny.VALUE == '1.0'"
        reply = await client.execute(code, reply=True, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
        await jp_fetch("api", "kernels", kernel_id, method="DELETE")


@contextlib.asynccontextmanager
async def at_work(lake):
    """Have a controller at work, as that of a server is, which does not end when it is idle."""
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(lake.run_controller, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def until(look):
    """Return what an operation answers as soon as that is something."""
    for _ in range(3000):
        if found := await look():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


async def test_a_server_goes_on_in_the_kernel_in_which_a_cell_failed(
    call, served_lake, root, jp_fetch, jp_serverapp
):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/a", "1")
    cells = [nbformat.v4.new_code_cell(one) for one in ("raw = out = ''", "number = 41\n1 / 0")]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "n.ipynb")
    spec = {
        "pipeline": "p",
        "notebook": "n.ipynb",
        "input": {"repo": {"name": "raw", "glob": "/"}},
        "datums": {"tries": 1, "keep_failed": "10m"},
    }
    async with at_work(served_lake):
        source = {"spec": spec, "folder": ""}
        job = (await call("createPipeline", json_body=source, expect=201)).json["latest_job"]

        async def kept():
            return (await call("listKernels", job=job["id"])).json["results"]

        async def has_failed():
            return (await call("getJob", job=job["id"])).json["state"] == "failed"

        await until(has_failed)
        (kernel,) = await kept()
        made = (await call("reopenJob", job=job["id"], datum=0, expect=201)).json
        assert made["kernel"] == kernel
        wanted = nbformat.read(root / made["notebook"], as_version=4).metadata.kernelspec.name
        body = json.dumps({"name": wanted})
        answer = await jp_fetch("api", "kernels", method="POST", body=body)
        kernel_id = json.loads(answer.body)["id"]
        client = jp_serverapp.kernel_manager.get_kernel(kernel_id).client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            reply = await client.execute("assert number == 41", reply=True, timeout=60)
            assert reply["content"]["status"] == "ok", reply["content"]
            assert (await kept())[0]["is_attached"]
        finally:
            client.stop_channels()
        await call("endKernel", kernel=kernel["id"], expect=204)

        async def is_gone():
            return not await kept()

        await until(is_gone)
        await call("endKernel", kernel=kernel["id"], expect=404)
        await jp_fetch("api", "kernels", kernel_id, method="DELETE")
