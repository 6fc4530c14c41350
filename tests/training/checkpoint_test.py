import keras
import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.recipes import gan
from keras3dgan.training import checkpoint
from tests.conftest import boxes

_SETTINGS = gan.RECIPE.make_settings("test", resolution=16, width=4, latent_size=8)


def _progress(step):
    return {"step": step, "epoch": 1, "seconds": 1.0}


def _trained(steps):
    keras.utils.set_random_seed(5)
    model = gan.build(_SETTINGS)
    voxels = boxes(8).grids()[..., None].astype(np.float32)
    for _ in range(steps):
        model.train_on_batch(voxels)
    return model


def test_everything_comes_back(tmp_path):
    trained = _trained(3)
    checkpoint.save(tmp_path, checkpoint.snapshot(trained, {"step": 3, "epoch": 1, "seconds": 2.5}))
    other = _trained(0)
    assert checkpoint.restore(tmp_path, other) == {"step": 3, "epoch": 1, "seconds": 2.5}
    for a, b in zip(checkpoint.state_variables(trained), checkpoint.state_variables(other), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), a.path)


def test_the_state_holds_what_a_step_changes():
    """Weights, statistics, both optimizers' moments and iterations, random state, running losses."""
    trained = _trained(1)
    paths = " ".join(variable.path for variable in checkpoint.state_variables(trained))
    for part in ("conv1/kernel", "bn2/moving_mean", "iteration", "momentum", "seed_generator_state", "g_running_loss"):
        assert part in paths, part
    assert sum("iteration" in v.path for v in checkpoint.state_variables(trained)) == 2


def test_only_two_are_kept_and_no_temporary_file_stays(tmp_path):
    trained = _trained(0)
    for step in (1, 2, 3):
        checkpoint.save(tmp_path, checkpoint.snapshot(trained, _progress(step)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-000000002.npz", "checkpoint-000000003.npz"]


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    trained = _trained(0)
    checkpoint.save(tmp_path, checkpoint.snapshot(trained, _progress(1)))

    def full_disk(file, **arrays):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path, checkpoint.snapshot(trained, _progress(2)))
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-000000001.npz"]
    assert checkpoint.restore(tmp_path, trained) == _progress(1)


def test_damaged_and_foreign_checkpoints(tmp_path):
    trained = _trained(0)
    assert checkpoint.restore(tmp_path, trained) is None
    path = checkpoint.save(tmp_path, checkpoint.snapshot(trained, _progress(1)))
    wider = gan.build(gan.RECIPE.make_settings("test", resolution=16, width=8, latent_size=8))
    with pytest.raises(InputError, match="another model"):
        checkpoint.restore(tmp_path, wider)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged checkpoint"):
        checkpoint.restore(tmp_path, trained)
