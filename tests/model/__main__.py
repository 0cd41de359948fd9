"""Explore small worlds, or replay one path: `python -m model [WORLD ['STEPS SURPRISE' ...]]` from the folder `tests`.

A path is given by its surprises, each with the number of steps before it; everything else is as usual.
"""

import sys
import time
from functools import partial

from model.explore import CounterexampleError, Surprises, explore, follow
from model.small_world import SmallWorld
from model.worlds import worlds


def main(arguments: list[str]) -> int:
    """Explore all worlds, or the one that is named; or replay a path in it."""
    if len(arguments) > 1:
        return _replay(
            arguments[0], [(int(steps), name) for steps, _, name in (each.partition(" ") for each in arguments[1:])]
        )
    is_sound = True
    for name in arguments or worlds():
        is_sound = _explore(name) and is_sound
    return 0 if is_sound else 1


def replay_arguments(world: str, surprises: Surprises) -> list[str]:
    """Return the arguments that replay a path."""
    return [world, *(f"{steps} {name}" for steps, name in surprises or [(0, "")])]


def _explore(name: str) -> bool:
    scene, bounds = worlds()[name]
    began = time.process_time()
    try:
        explored = explore(partial(SmallWorld, scene), bounds)
    except CounterexampleError as error:
        sys.stdout.write(
            f"{error}\nTo replay: python -m model {' '.join(map(repr, replay_arguments(name, error.surprises)))}\n"
        )
        return False
    sys.stdout.write(f"{name}: {explored}, {time.process_time() - began:.1f} s\n")
    sys.stdout.flush()
    return True


def _replay(name: str, surprises: Surprises) -> int:
    scene, bounds = worlds()[name]
    stories: list[list[str]] = []

    def begin() -> SmallWorld:
        world = SmallWorld(scene)
        stories.append(world.invariants.story)
        return world

    try:
        follow(begin, [each for each in surprises if each[1]], bounds.longest)
    except Exception as error:  # noqa: BLE001 - whatever the product raises is the finding
        last = str(error).rsplit("\n", 1)[-1]
        sys.stdout.write("\n".join([*stories[-1], f"{type(error).__name__}: {last}", ""]))
        return 1
    sys.stdout.write("\n".join([*stories[-1], "No violation.", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
