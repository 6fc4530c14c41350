"""Readers of mesh files, one file a format: bytes in, vertices and triangles out, or one sentence why not.

Each `read(content, path)` takes the whole file and returns `(vertices, faces)`: float64 (n, 3) in the file's own axes, and
int64 (m, 3). It raises `InputError` where the file holds less than it declares, or something that would change the shape
and is not supported. `docs/formats.md` says what is read and why these readers and not a library's.
"""
