"""Tables, each from the content of one kind of file in results/."""

import pathlib
from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], note: str) -> str:
    """A table in Markdown, and a line below it."""
    head, *body = ("|" + "".join(f" {cell} |" if cell else " |" for cell in cells) for cells in (titles, *rows))
    return "\n".join([head, "|---" * len(titles) + "|", *body, "", note]) + "\n"


def codecs(content: dict) -> str:
    """The table of a file that `keras3dgan evaluate` wrote."""
    lines = ["| codec | IoU | bytes on disk | dimension ratio | byte ratio |", "|---|---|---|---|---|"]
    for codec, row in sorted(content["codecs"].items(), key=lambda item: -item[1]["iou"]):
        lines.append(
            f"| {codec} | {row['iou']:.3f} | {row['bytes']:.0f} | {row['dimension_ratio']:.1f} | {row['byte_ratio']:.1f} |"
        )
    runs = content["trainings"]
    shapes = next(iter(content["codecs"].values()))["shapes"]
    times = ", ".join(
        f"{pathlib.Path(path).name} {run['steps']} steps in {run['seconds'] / 60:.0f} min" for path, run in runs.items()
    )
    hardware = content["hardware"]
    note = f"{shapes} shapes of the {content['split']} split; trained on {hardware['cores']} cores: {times}."
    for run in runs.values():
        if run["kind"] == "voxnet":
            note += f" VoxNet accuracy {run['test_accuracy']:.1%}."
    return "\n".join([*lines, "", note]) + "\n"


def performance(content: dict) -> str:
    """The table of the file that `benchmarks/measure.py` wrote."""
    lines = ["| measurement | result | peak memory |", "|---|---|---|"]
    for label, row in content["measurements"].items():
        values = {k: v for k, v in row.items() if k not in ("peak_memory_mib", "seconds", "source", "meshes")}
        text = ", ".join(_phrase(key, value) for key, value in values.items())
        lines.append(f"| {label} | {text} | {row['peak_memory_mib']} MiB |")
    hardware = content["hardware"]
    return "\n".join([*lines, "", f"{hardware['cores']} cores of {hardware['cpu']}, batch 100, 32^3."]) + "\n"


def generators(content: dict) -> str:
    """The table of a file that `keras3dgan evaluate_gan` wrote."""
    columns = {
        "score": "score",
        "coverage_iou": "coverage, IoU",
        "nna_iou": "1-NN, IoU",
        "mmd_iou": "MMD, IoU",
        "coverage_chamfer": "coverage, Chamfer",
        "nna_chamfer": "1-NN, Chamfer",
        "mmd_chamfer": "MMD, Chamfer",
        "frechet": "Frechet",
        "diversity": "diversity",
        "novelty": "novelty",
        "occupied": "occupied",
        "largest_component": "largest component",
    }
    draws = content.get("draws", 1)
    if draws > 1:
        columns = {"score": "score", "score_stddev": "its standard deviation", **columns}
    lines = [f"| generator | steps | minutes | {' | '.join(columns.values())} |", "|---" * (len(columns) + 3) + "|"]
    for path, row in content["generators"].items():
        run = content["trainings"].get(path)
        trained = f"{run['steps']} | {run['seconds'] / 60:.0f}" if run else "- | -"
        cells = (f"{row[column]:.3f}" if column in row else "-" for column in columns)
        lines.append(f"| {pathlib.Path(path).name.replace('_', ' ')} | {trained} | {' | '.join(cells)} |")
    runs = list(content["trainings"].values())
    seeds, widths = (", ".join(map(str, sorted({run["settings"][name] for run in runs}))) for name in ("seed", "width"))
    cores = runs[0]["hardware"]["cores"]
    means = f", means of {draws} draws" if draws > 1 else ""
    note = (
        f"{content['shapes']} shapes of each against as many of the {content['split']} split{means}; width "
        f"{widths}, {runs[0]['settings']['resolution']}^3, seed {seeds}; {cores} core{'s' * (cores > 1)} a training."
    )
    return "\n".join([*lines, "", note]) + "\n"


def drawn_shapes(content: dict) -> str:
    """The table of the file that `benchmarks/octree_generation.py` wrote."""
    columns = {
        "score": "score",
        "coverage_iou": "coverage, IoU",
        "nna_iou": "1-NN, IoU",
        "mmd_iou": "MMD, IoU",
        "coverage_chamfer": "coverage, Chamfer",
        "nna_chamfer": "1-NN, Chamfer",
        "mmd_chamfer": "MMD, Chamfer",
        "diversity": "diversity",
        "novelty": "novelty",
        "largest_component": "largest component",
        "of_class": "of its class",
    }
    lines = [f"| | | {' | '.join(columns.values())} |", "|---" * (len(columns) + 2) + "|"]
    for task, found in content["generation"].items():
        for name, row in found.items():
            if name != "test shapes" and not (isinstance(row, dict) and "mean" in row):
                continue
            mean = row.get("mean", row)
            cells = (f"{mean[column]:.3f}" if column in mean else "-" for column in columns)
            lines.append(f"| {task}, {found['shapes']} shapes | {name} | {' | '.join(cells)} |")
    chosen = content["chosen"]
    note = (
        f"Means over seeds {', '.join(map(str, content['seeds']))}, against as many shapes of the {content['split']} split. "
        f"Temperature {chosen['temperature']} was chosen on validation shapes by model {chosen['model']}, which has learnt "
        "from the train split alone."
    )
    return "\n".join([*lines, "", note]) + "\n"


def completion(content: dict) -> str:
    """The table of the file that `benchmarks/octree_completion.py` wrote."""
    counts = list(next(iter(content["completion"].values())))
    rows = [[name, *(f"{row[count]:.3f}" for count in counts)] for name, row in content["completion"].items()]
    note = f"IoU of the voxels that are not known, {content['shapes']} chairs of the {content['split']} split."
    return table(["known", *(f"{count} candidates" for count in counts)], rows, note)


def pytorch(content: dict) -> str:
    """The table of the file that `benchmarks/pytorch.py` wrote."""
    titles = {
        "pytorch": "PyTorch",
        "pytorch_bfloat16": "PyTorch, bfloat16",
        "tensorflow": "ours",
        "tensorflow_bfloat16": "ours, bfloat16",
        "tensorflow_gated": "ours, discriminator skipped",
    }
    rows = []
    for label, row in content["measurements"].items():
        cells = (f"{row[f'{k}_shapes_per_second']} shapes/s ({row[f'{k}_speed_over_pytorch']:.2f})" for k in titles)
        rows.append([label, *cells])
    machine = f"{content['threads']} threads of {content['hardware']['cpu']}"
    note = f"PyTorch {content['torch']}, {machine}; in brackets: ratio to PyTorch."
    return table(["3D-GAN", *titles.values()], rows, note)


def backends(content: dict) -> str:
    """The table of the file that `benchmarks/backends.py` wrote."""
    lines = ["| step | TensorFlow | JAX | JAX / TensorFlow |", "|---|---|---|---|"]
    for model, row in content["step_times"].items():
        cells = (f"{row['tensorflow_ms']} ms", f"{row['jax_ms']} ms", f"{row['jax_over_tensorflow_time']:.1f}")
        lines.append(f"| {model} | {' | '.join(cells)} |")
    devices = content["devices"]
    note = (
        f"Width {content['width']}, batch {content['batch_size']}, 32^3; TensorFlow on {devices['tensorflow']}, JAX on "
        f"{devices['jax']}, {content['hardware']['cores']} cores."
    )
    return "\n".join([*lines, "", note]) + "\n"


def serving(content: dict) -> str:
    """The table of the file that `benchmarks/serving.py` wrote."""
    lines = ["| | signature | clients | requests/s | p50 | p99 |", "|---|---|---|---|---|---|"]
    for row in sorted(content["load"], key=lambda row: (row["transport"], row["signature"], row["clients"])):
        speed = f"{row['requests_per_second']:.0f} | {row['p50_ms']:.1f} ms | {row['p99_ms']:.1f} ms"
        lines.append(f"| {row['transport']} | {row['signature']} | {row['clients']} | {speed} |")
    hardware = content["hardware"]
    return "\n".join([*lines, "", f"{content['server']}; {hardware['cores']} cores of {hardware['cpu']}."]) + "\n"


def bulk(content: dict) -> str:
    """The table of the file that `benchmarks/bulk.py` wrote."""
    lines = ["| meshes | workers | seconds | peak memory of a process | bytes a shape |", "|---|---|---|---|---|"]
    for row in content["runs"]:
        size = row["archive_bytes"] / row["shapes"]
        lines.append(
            f"| {row['shapes']} | {row['workers']} | {row['seconds']:.0f} | {row['peak_mib']} MiB | {size:.1f} |"
        )
    rates = content["shapes_per_second"]
    note = (
        f"Without what starting costs: {rates['1']} shapes/s with one worker, {rates['2']} with two, "
        f"{content['growth_from_1_to_2_workers']} times as many."
    )
    return "\n".join([*lines, "", note]) + "\n"


_DISTANCES = {"mean": "mean distance", "p95": "95th percentile"}


def budgets(content: dict) -> str:
    """Of the file that `benchmarks/meshes.py` wrote the fewest bytes for which each codec keeps to a distance."""
    families = list(content["budgets"][0]["codecs"])
    rows = []
    for row in content["budgets"]:
        cells = []
        for found in row["codecs"].values():
            cells.append(f"{found['median_bytes']:,.0f} ({found['reached']:.0%})" if "median_bytes" in found else "-")
        best = ", ".join(f"{name} {found['fewest']:.0%}" for name, found in row["codecs"].items() if found["fewest"])
        rows.append([f"{_DISTANCES[row['measured']]} {row['limit']:g} %", *cells, best])
    note = (
        f"{content['meshes']} of {content['of']} meshes, drawn at random, half of them with more than "
        f"{content['median_faces']:,.0f} faces; {content['points']:,} points on each surface; distances in percent of the "
        "diagonal. "
        f"Keeping to: median of the fewest bytes, and of how many meshes. Meshopt: {content['meshopt']}"
    )
    return table(["keeping to", *families, "fewest bytes"], rows, note)


def meshes(content: dict) -> str:
    """The settings of the same file: of the others only those that gain a tenth on smaller ones."""
    columns = {**_DISTANCES, "of_original": "original to restored", "of_restored": "restored to original"}
    rows = []
    for codec in dict.fromkeys(row["codec"] for row in content["surface_error"]):
        rivals = [row for row in content["surface_error"] if row["codec"] == codec]
        least = float("inf")
        for row in sorted(rivals, key=lambda row: (row["median_bytes"], row["mean"])):
            if not codec.startswith("this codec") and row["mean"] > 0.9 * least:
                continue
            least = row["mean"]
            some = f" ({row['meshes']} meshes)" if row["meshes"] < content["meshes"] else ""
            sizes = (f"{row['median_bytes']:,.0f}", f"{row['bytes']:,.0f}")
            rows.append([codec, f"{row['setting']}{some}", *sizes, *(f"{row[name]:.3f}" for name in columns)])
    titles = ["codec", "setting", "bytes, median", "bytes, mean", *columns.values()]
    return table(titles, rows, f"The same {content['meshes']} meshes.")


def few_rows(content: dict) -> str:
    """The few rows of `rate_distortion` that say most."""
    subset = content["rate_distortion"]["all"]
    curves, occupied = subset["curves"], subset["voxels"]["occupied"]
    chosen = {
        "this codec, every voxel exact": ("this codec", "lossless"),
        "this codec, at 20 bytes": ("this codec", 20),
        "this codec, at 10 bytes": ("this codec", 10),
        "zstd with a trained dictionary": ("zstd with a trained dictionary", "lossless"),
        "lzma": ("lzma", "lossless"),
    }
    found = {name: next(r for r in curves[codec] if r["rate"] == rate) for name, (codec, rate) in chosen.items()}
    found["200 linear components (PCA), quantised"] = max(curves["PCA, quantised"], key=lambda row: row["iou"])
    rows = [
        [name, f"{row['bytes']:.1f}", f"{8 * row['bytes'] / occupied:.3f}", f"{row['iou']:.3f}"]
        for name, row in found.items()
    ]
    note = (
        f"{subset['shapes']} shapes of {occupied:.0f} occupied voxels on average, {subset['voxels']['surface']:.0f} of them at "
        f"the surface. Without the {subset['seen_in_training']} that are also in the training split this codec takes "
        f"{curves['this codec'][-1]['bytes_unseen']:.1f} bytes."
    )
    return table(["", "bytes a shape", "bits a voxel", "IoU"], rows, note)


def latents(content: dict) -> str:
    """Of `rate_distortion` the models with latents, and PCA, at each of their rates."""
    subsets = content["rate_distortion"]
    names = [
        name for name in subsets["all"]["curves"] if name.startswith(("autoencoder from PCA", "PCA", "report's model"))
    ]
    titles, rows = [""], []
    for title in subsets:
        titles += [f"{title}: float latents", "bytes: IoU"]
    for name in names:
        cells = [name]
        for subset in subsets.values():
            curve = subset["curves"][name]
            exact = next((f"{row['iou']:.3f}" for row in curve if row["rate"] == "float32 latents"), "-")
            coded = sorted((row["bytes"], row["iou"]) for row in curve if row["rate"] != "float32 latents")
            cells += [exact, ", ".join(f"{size:.0f}: {iou:.3f}" for size, iou in coded if size >= 5)]
        rows.append(cells)
    counts = ", ".join(f"{title} {subset['shapes']}" for title, subset in subsets.items())
    return table(titles, rows, f"Test split, shapes: {counts}; points of 5 bytes and more.")


def reconstruction(content: dict) -> str:
    """The table of a file that `keras3dgan evaluate_reconstruction` wrote."""
    titles = {
        "iou": "IoU, one view",
        "average_precision": "AP, one view",
        "iou_all_views": "IoU, all views",
        "average_precision_all_views": "AP, all views",
    }
    lines = [f"| class | shapes | method | {' | '.join(titles.values())} |", "|---" * (len(titles) + 3) + "|"]
    methods = content["reconstruction"]
    classes = list(next(iter(methods.values()))["by_class"])
    for name in ["all", *(classes if len(classes) > 1 else [])]:
        for method, row in methods.items():
            found = row if name == "all" else row["by_class"][name]
            cells = " | ".join(f"{found[key]:.3f}" for key in titles)
            lines.append(f"| {name} | {found['shapes']} | {method} | {cells} |")
    [run] = content["trainings"].values()
    settings = run["settings"]
    note = (
        f"{content['split'].capitalize()} split, {content['views']} views a shape of {settings['picture_size']}^2 pixels; width "
        f"{settings.get('width', settings['encoder_width'])}, {run['steps']} steps in "
        f"{run['seconds'] / 60:.0f} min on {run['hardware']['cores']} cores, seed "
        f"{settings['seed']}."
    )
    return "\n".join([*lines, "", note]) + "\n"


def codec_times(content: dict) -> str:
    """The table of the file that `benchmarks/codec_times.py` wrote."""
    lines = ["| | encode, ms a shape | decode, ms a shape |", "|---|---|---|"]
    for name, row in content["codec_times"].items():
        lines.append(f"| {name} | {row['encode_ms']:.2f} | {row['decode_ms']:.2f} |")
    note = (
        f"One core of {content['hardware']['cpu']}, load before {content['load_before']:.1f}; the least of three turns."
    )
    return "\n".join([*lines, "", note]) + "\n"


def web(content: dict) -> str:
    """The table of the file that `benchmarks/web.py` wrote."""
    lines = ["| model | bytes a shape | numba | Node | Chromium |", "|---|---|---|---|---|"]
    for model in ("octree32", "octree64"):
        row = content[model]
        cells = [f"{row['least_ms']['numba']:.1f} ms"]
        cells += [
            f"{row['least_ms'][name]:.1f} ms ({row['ratio_to_numba'][name]:.2f})" for name in ("node", "chromium")
        ]
        lines.append(f"| {model} | {row['bytes']:.0f} | {' | '.join(cells)} |")
    wall, catalogue = content["wall"], content["catalogue"]
    note = (
        f"Milliseconds of one core of {content['hardware']['cpu']}, the least of five turns, in brackets the ratio to "
        f"numba; load before {content['load_before']:.1f}. A wall of {wall['shapes']} shapes stands after "
        f"{wall['all_seconds']} s, its first shape after {wall['first_seconds']} s; the page is busy for "
        f"{wall['longest_task_ms']} ms at most. A site of {catalogue['shapes']:,} shapes shows the first after "
        f"{catalogue['seconds']} s, having fetched {catalogue['fetched_bytes'] / 1000:,.0f} of "
        f"{catalogue['archive_bytes'] / 1000:,.0f} kB in {catalogue['requests']} requests."
    )
    return "\n".join([*lines, "", note]) + "\n"


def fuzzed(content: dict) -> str:
    """The table of the file that `benchmarks/fuzz.py` wrote."""
    rest = ("slowest_seconds", "most_mib")
    columns = [name for name in next(iter(content["fuzzed"].values())) if name not in rest]
    names = [name.replace("_", " ") for name in columns]
    lines = [f"| kind | {' | '.join(names)} | slowest | most memory |", "|---" * (len(columns) + 3) + "|"]
    for kind, row in content["fuzzed"].items():
        counts = " | ".join(f"{row[name]:,}" for name in columns)
        lines.append(f"| {kind} | {counts} | {row['slowest_seconds']:.1f} s | {row['most_mib']} MiB |")
    note = f"{content['inputs']:,} inputs of {content['aim']:,} aimed at; {content['hardware']['cores']} cores, shared."
    return "\n".join([*lines, "", note]) + "\n"


def kills(content: dict) -> str:
    """The table of the file that `benchmarks/kills.py` wrote."""
    lines = ["| command | kills | ended | that differ | processes left |", "|---|---|---|---|---|"]
    for name, row in content["tasks"].items():
        command = "bulk_compress, two workers" if name == "bulk" else f"train_{name}"
        cells = (command, row["kills"], row["outcomes"], len(row["differences"]), row["processes_left"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    note = f"{content['kills']} kills in all, {content['outcomes']} runs that ended after them."
    return "\n".join([*lines, "", note]) + "\n"


def solids(content: dict) -> str:
    """The table of the file that `benchmarks/solids.py` wrote."""
    words = {"removed": "of the faces removed", "hole": "of the faces removed around one place", "turned": "turned"}
    lines = ["| damage | before | now |", "|---|---|---|"]
    for row in content["solids"]:
        damage = " and ".join(f"{row[kind]:.0%} {text}" for kind, text in words.items() if row[kind])
        lines.append(f"| {damage or 'none'} | {row['before']:.3f} | {row['now']:.3f} |")
    note = f"Mean IoU of {content['models']} models at {content['resolution']}^3 with the solid of the whole model."
    return "\n".join([*lines, "", note]) + "\n"


def _phrase(key: str, value: float) -> str:
    """`meshes_per_second_32`, 14.7 as "14.7 meshes/s (32)"; `encode_ms_batch_1`, 1.9 as "encode 1.9 ms (batch 1)"."""
    if "_per_second" in key:
        what, _, detail = key.partition("_per_second")
        return f"{value:,} {what.replace('_', ' ')}/s" + (f" ({detail.strip('_')})" if detail else "")
    for unit in ("percent", "speed_ratio"):
        if key.endswith(f"_{unit}"):
            what = key.removesuffix(f"_{unit}")
            return f"{what} {value} %" if unit == "percent" else f"{what} {value} times as fast"
    if "_ms" not in key:
        return f"{value} {key}"
    what, _, detail = key.partition("_ms")
    detail = f" ({detail.strip('_').replace('_', ' ')})" if detail else ""
    return f"{what} {value} ms{detail}"
