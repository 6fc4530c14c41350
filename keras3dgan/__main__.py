"""`python -m keras3dgan <command>` is `keras3dgan <command>`."""

from keras3dgan.commands.main import main

main()
