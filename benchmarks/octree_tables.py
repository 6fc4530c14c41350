"""The tables of what is measured of the octree models beside `rate_distortion.py`; `result_tables.py` has the others."""

from result_tables import table

from keras3dgan.codec.shipped import DEFAULT, shipped


def held_out(content: dict) -> str:
    """The table of the file that `benchmarks/held_out.py` wrote."""
    sets = content["held_out"]
    names = dict.fromkeys(name for found in sets.values() for name in found["bytes"])
    # Models, which have a fingerprint behind their name, before general compressors.
    codecs = sorted(names, key=lambda name: name.rsplit(" ", 1)[0] not in shipped())
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


def front(content: dict) -> str:
    """Of `held_out` what the README shows: the model that `compress` takes, at 32^3, beside general compressors."""
    sets = {title: found for title, found in content["held_out"].items() if title.endswith("32^3")}
    [model] = [name for name in next(iter(sets.values()))["bytes"] if name.startswith(f"{DEFAULT} ")]
    names = {"this codec": model, "zstd with a trained dictionary": "zstd with a trained dictionary"}
    names |= {name: name for name in ("lzma", "zlib")}
    titles = [f"{title.removesuffix(', 32^3')}, {found['shapes']} shapes" for title, found in sets.items()]
    rows = [[shown, *(f"{found['bytes'][name]:.1f}" for found in sets.values())] for shown, name in names.items()]
    return table(["", *titles], rows, "Mean bytes, every voxel exact; what a file or an archive adds is not counted.")
