import numpy as np

from keras3dgan.report.sample_pictures import draw, in_a_line
from keras3dgan.training.options import Samples
from tests.conftest import boxes


def test_a_picture_and_meshes_for_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    grids = boxes(6, 32).grids()
    views = np.ones((3, 8, 8, 3), np.float32)
    (tmp_path / "events").mkdir()
    rows = {"view": views, "samples": grids.astype(np.float32), "nothing": np.zeros((2, 32, 32, 32), np.float32)}
    draw(Samples(rows), tmp_path / "samples" / "epoch-00007.png")
    assert (tmp_path / "samples" / "epoch-00007.png").stat().st_size > 1000
    events = EventAccumulator(str(tmp_path / "events" / "samples")).Reload()
    tags = events.Tags()["tensors"]
    # The plugin shows pairs of them; of pictures and of what is empty there is none.
    assert {tag for tag in tags if "VERTEX" in tag or "FACE" in tag} == {"samples_VERTEX", "samples_FACE"}
    [event] = events.Tensors("samples_VERTEX")
    assert event.step == 7 and [size.size for size in event.tensor_proto.tensor_shape.dim][::2] == [1, 3]


def test_shapes_stand_in_a_line_with_y_up():
    made = in_a_line(boxes(3, 16).grids(), 0.5)
    assert made.bounds[1, 0] - made.bounds[0, 0] > 2 and np.ptp(made.bounds, axis=0)[1:].max() <= 1.01
