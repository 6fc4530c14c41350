"""`python -m keras3dgan <command>` is `keras3dgan <command>`."""

from keras3dgan.commands import interrupts


def main() -> None:
    """Runs the command that the first word names."""
    interrupts.catch()
    try:
        from keras3dgan.commands.main import main as run  # only now, since it takes a second

        run()
    except KeyboardInterrupt as error:
        interrupts.say_and_leave(error)


if __name__ == "__main__":
    main()
