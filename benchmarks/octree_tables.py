"""The tables of what is measured of the octree models beside `rate_distortion.py`; `result_tables.py` has the others."""


def held_out(content: dict) -> str:
    """The table of the file that `benchmarks/held_out.py` wrote."""
    sets = content["held_out"]
    codecs = list(dict.fromkeys(name for found in sets.values() for name in found["bytes"]))
    titles = [f"{title}, {found['shapes']} shapes" for title, found in sets.items()]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (len(sets) + 1) + "|"]
    for name in codecs:
        cells = (f"{found['bytes'][name]:.1f}" if name in found["bytes"] else "-" for found in sets.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    note = f"Mean bytes a shape, every voxel exact, {content['split']} split, without what a file or an archive adds."
    return "\n".join([*lines, "", note]) + "\n"


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
    lines = [f"| model | {' | '.join(titles.values())} |", "|---" * (len(titles) + 1) + "|"]
    for name, row in content["growth"].items():
        cells = (f"{row[key]:,.0f}" if "voxels" in key else f"{row[key]:.1f}" for key in titles)
        lines.append(f"| {name}, {row['resolution']}^3 | {' | '.join(cells)} |")
    note = (
        f"Means of {content['shapes']} shapes of `open_shapes_voxels`, {content['split']} split; processor time of one core of "
        f"{content['hardware']['cpu']}, load {content['load']:.1f}, the least of three turns; without poses, and without "
        "decoding again to check."
    )
    return "\n".join([*lines, "", note]) + "\n"


def few_bytes(content: dict) -> str:
    """The table of the file that `benchmarks/few_bytes.py` wrote."""
    lines = ["| at most | before: IoU | bytes | a known shape | now: IoU | bytes | a known shape |", "|---" * 7 + "|"]
    before, now = content["few_bytes"]["before"], content["few_bytes"]["now"]
    for most in before:
        cells = (
            f"{row[most]['iou']:.3f} | {row[most]['bytes']:.1f} | {row[most]['known']:.0%}" for row in (before, now)
        )
        lines.append(f"| {most} bytes | {' | '.join(cells)} |")
    note = f"Means of {content['shapes']} shapes of the furniture's {content['split']} split at 64^3, octree64."
    return "\n".join([*lines, "", note]) + "\n"
