"""The tables of what is measured of the octree models beside `rate_distortion.py`; `result_tables.py` has the others."""

from result_tables import table


def held_out(content: dict) -> str:
    """The table of the file that `benchmarks/held_out.py` wrote."""
    sets = content["held_out"]
    codecs = list(dict.fromkeys(name for found in sets.values() for name in found["bytes"]))
    titles = [f"{title}, {found['shapes']} shapes" for title, found in sets.items()]
    rows = []
    for name in codecs:
        rows.append([name, *(f"{f['bytes'][name]:.1f}" if name in f["bytes"] else "-" for f in sets.values())])
    note = f"Mean bytes a shape, every voxel exact, {content['split']} split, without what a file or an archive adds."
    return table(["", *titles], rows, note)


def growth(content: dict) -> str:
    """The table of the file that `benchmarks/codec_growth.py` wrote."""
    titles = {
        "bytes": "bytes",
        "surface_voxels": "voxels at the surface",
        "coded_voxels": "voxels coded",
        "encode_ms": "encode, ms",
        "decode_ms": "decode, ms",
        "encode_ms_a_thousand": "encode, ms a thousand coded",
        "decode_ms_a_thousand": "decode, ms a thousand coded",
    }
    rows = []
    for name, row in content["growth"].items():
        cells = (f"{row[key]:,.0f}" if "voxels" in key else f"{row[key]:.1f}" for key in titles)
        rows.append([f"{name}, {row['resolution']}^3", *cells])
    note = (
        f"Means of {content['shapes']} shapes of `open_shapes_voxels`, {content['split']} split; processor time of one core of "
        f"{content['hardware']['cpu']}, load {content['load']:.1f}, the least of three turns; without poses, and without "
        "decoding again to check."
    )
    return table(["model", *titles.values()], rows, note)


def few_bytes(content: dict) -> str:
    """The table of the file that `benchmarks/few_bytes.py` wrote."""
    titles = ["at most", "before: IoU", "bytes", "a known shape", "now: IoU", "bytes", "a known shape"]
    rows = []
    before, now = content["few_bytes"]["before"], content["few_bytes"]["now"]
    for most in before:
        cells = []
        for row in (before, now):
            cells += [f"{row[most]['iou']:.3f}", f"{row[most]['bytes']:.1f}", f"{row[most]['known']:.0%}"]
        rows.append([f"{most} bytes", *cells])
    note = f"Means of {content['shapes']} shapes of the furniture's {content['split']} split at 64^3, octree64."
    return table(titles, rows, note)
