"""Packaging: folders of the checkout to names of the package, and what each part needs."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "keras3dgan" / "__init__.py").read_text())[1]

# The builders' folder is called `datasets` in the checkout; as a top-level import that name would shadow other packages.
BUILDERS = ["keras3dgan.datasets", *(f"keras3dgan.datasets.{name}" for name in find_packages(str(ROOT / "datasets")))]

TRAINING = [
    "keras>=3.15",
    "h5py>=3.11",
    "scikit-learn>=1.5",
    "matplotlib>=3.9",
    "pillow>=10.0",
]
WITH_TENSORFLOW = [
    *TRAINING,
    "tensorflow-datasets>=4.9.10",
    "importlib_resources>=6.0",  # tensorflow-datasets needs it to prepare and does not declare it
    "tensorboard>=2.20",
]
BUILD = ["apache-beam>=2.70", "mlcroissant>=1.0"]  # the `tfds` command needs both and does not declare them
# With `pip install --no-deps tensorflow-serving-api`, which asks for the whole of `tensorflow` beside `tensorflow-cpu`.
SERVING = [
    "grpcio>=1.66",
    "requests>=2.32",
    "starlette>=0.47",
    "uvicorn>=0.34",
    "orjson>=3.10",
    "prometheus_client>=0.21",
]
PICTURES = ["panda3d>=1.10.14"]
HUB = ["huggingface_hub>=0.30"]  # presets by hf://owner/name
ENGINES = ["tf2onnx>=1.17", "onnx>=1.17", "onnxruntime>=1.20", "ai-edge-litert>=2.0"]

setup(
    name="keras3dgan",
    version=VERSION,
    description="Learns what 3D objects look like and uses that to compress them",
    author="The keras3dgan authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Multimedia :: Graphics :: 3D Modeling",
    ],
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    packages=[*find_packages(include=["keras3dgan", "keras3dgan.*"]), *BUILDERS, "keras3dgan.export"],
    package_dir={"keras3dgan.datasets": "datasets", "keras3dgan.export": "export"},
    package_data={
        "": ["*.npz", "*.tsv", "*.txt", "*.bib", "*.md", "*.html", "py.typed"],
        "keras3dgan.codec.shipped": ["*.npz", "*.json", "*.md"],
        "keras3dgan.datasets.furniture_voxels": ["pictures/*.png"],
        "keras3dgan.export": ["serving/*", "web/*"],
        "keras3dgan.presets": ["*/*.json", "*/*.h5", "*/*.md", "*/assets/*.npz"],
    },
    install_requires=[
        "absl-py>=2.1",
        "numpy>=2.0",
        "scipy>=1.13",
        "scikit-image>=0.24",
        "trimesh>=4.5",
        "mapbox_earcut>=1.0.1",
        "DracoPy>=1.4",
        "numba>=0.61",
        "tqdm>=4.66",
    ],
    extras_require={
        "cpu": ["tensorflow-cpu>=2.21", *WITH_TENSORFLOW],
        "gpu": ["tensorflow[and-cuda]>=2.21", *WITH_TENSORFLOW],
        "jax": ["jax>=0.7", *TRAINING],
        "jax_gpu": ["jax[cuda13]>=0.7.2", *TRAINING],
        "serving": SERVING,
        "engines": ENGINES,
        "hub": HUB,
        "pictures": PICTURES,
        "beam": BUILD,
        "bench": ["torch>=2.5", "zstandard>=0.23", "libigl>=2.6", "fast-simplification>=0.1.9"],
        "dev": [
            "build>=1.2",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
            "mypy>=1.13",
            "dill>=0.3.8",
            "trustme>=1.2",
            "jax>=0.7",
            *BUILD,
            *SERVING,
            *ENGINES,
            *PICTURES,
            *HUB,
        ],
    },
    entry_points={"console_scripts": ["keras3dgan = keras3dgan.__main__:main"]},
)
