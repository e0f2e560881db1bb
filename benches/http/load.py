#!/usr/bin/env python3
"""What it costs to take alerts over HTTP: Stormfold and Debian's Alertmanager in turn, on the same machine.

  benches/http/load.py [--stormfold target/release/stormfold] [--alertmanager prometheus-alertmanager] [--alerts 100000] [--sizes 1,50,500]

For each size of request a server is started afresh in a folder of its own, alerts are posted to /api/v2/alerts over connections that
are kept, and the user and system time of the server's process from the first request until it has been quiet for a second is
divided by the alerts. Stormfold runs whole, on its embedded log: a request is answered after an fsync, and the alerts are decoded
and folded into incidents as well; what its threads for HTTP took of that is shown beside it. Of the alerts one in twenty is new, the
others are repeats. Python's standard library only; Linux (/proc).
"""
import argparse, concurrent.futures, http.client, json, os, pathlib, socket, subprocess, tempfile, time

a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
a.add_argument("--stormfold", default="target/release/stormfold")
a.add_argument("--alertmanager", default="prometheus-alertmanager")
a.add_argument("--alerts", type=int, default=100_000)
a.add_argument("--sizes", default="1,50,500")
a.add_argument("--connections", type=int, default=8)
o = a.parse_args()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stormfold(folder, port):
    http_ = f'{{ listen: "127.0.0.1:{port}", rate_per_s: 1000000, burst: 1000000 }}'
    (folder / "c.yaml").write_text(f"embedded: {{ dir: data }}\ntopics: {{ partitions: 1 }}\nhttp: {http_}\nlogging: {{ level: warn }}\n")
    return [str(pathlib.Path(o.stormfold).resolve()), "run", "--config", "c.yaml"], "/readyz"


def alertmanager(folder, port):
    (folder / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    flags = ["--config.file=am.yml", "--storage.path=am", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    return [o.alertmanager, *flags], "/-/ready"


def alert(n):
    k = n % max(o.alerts // 20, 1)
    labels = {"alertname": "QueueTooLong", "cluster": "eu-1", "namespace": "mail", "pod": f"outbox-{k}", "service": f"outbox-{k % 40}", "severity": "warning"}
    return {"labels": labels, "annotations": {"summary": f"Outbox {k} holds more than 500 letters"}, "startsAt": "2026-05-04T08:00:00Z", "generatorURL": "http://prometheus.example.com/graph"}


def cpu(pid, thread=""):
    """Seconds of the threads whose names begin so. The scheduler counts nanoseconds; the ticks of `stat` are too coarse here."""
    nanos = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if (task / "comm").read_text().startswith(thread):
                nanos += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return nanos / 1e9


def post(port, bodies):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        connection.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise SystemExit(f"{response.status}: {text[:200]}")


def measure(server, size):
    with tempfile.TemporaryDirectory() as name:
        folder, port = pathlib.Path(name), free_port()
        command, ready = server(folder, port)
        bodies = [json.dumps([alert(n) for n in range(at, min(at + size, o.alerts))]).encode() for at in range(0, o.alerts, size)]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            for _ in range(300):
                try:
                    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                    c.request("GET", ready)
                    if c.getresponse().read() is not None:
                        break
                except OSError:
                    time.sleep(0.1)
            else:
                raise SystemExit((folder / "log").read_text())
            before, http_before, begun = cpu(process.pid), cpu(process.pid, "http"), time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(o.connections) as pool:
                list(pool.map(lambda n: post(port, bodies[n :: o.connections]), range(o.connections)))
            took = time.monotonic() - begun
            last = -1.0
            while cpu(process.pid) - last > 0.02:
                last = cpu(process.pid)
                time.sleep(1)
            scale = 100_000 / o.alerts
            return (cpu(process.pid) - before) * scale, (cpu(process.pid, "http") - http_before) * scale, o.alerts / took
        finally:
            process.terminate()
            process.wait(20)


print(f"{'alerts a request':>16} {'server':>14} {'CPU-s per 100,000':>18} {'of it HTTP':>11} {'alerts/s':>10}")
for size in map(int, o.sizes.split(",")):
    for name, server in (("stormfold", stormfold), ("alertmanager", alertmanager)):
        seconds, of_http, rate = measure(server, size)
        shown = f"{of_http:.2f}" if name == "stormfold" else "-"
        print(f"{size:>16} {name:>14} {seconds:>18.2f} {shown:>11} {rate:>10.0f}", flush=True)
