"""Gives a version of the template the resources of a project. update.py runs this in a checkout of that version.

The argument is JSON: {"remove": [NAME, ...], "add": [DEFINITION, ...]}. The project's packages must be importable.
"""

import json
import sys
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("native", "resource")]

import actions
import definition
import generated
import registration
from definition import DEFINITIONS
from render import existing_paths, render
from settings import ROOT
from workspace import Folder, Invalid


def main() -> None:
    wanted = json.loads(sys.argv[1])
    folder = Folder(ROOT)
    resources = definition.read_all(ROOT)
    for name in wanted["remove"]:
        if resource := resources.pop(name, None):
            for path in (*existing_paths(resource, ROOT), f"{DEFINITIONS}/{name}.json"):
                folder.remove(path)
            registration.remove(folder, resource, resources.values())
    added = [definition.load(content) for content in wanted["add"]]
    added = [resource for resource in added if resource.name not in resources]
    # A resource may refer to a later one.
    resources |= {resource.name: resource for resource in added}
    for resource in added:
        actions.write(folder, render(resource, resources, registration.labels(folder)))
        folder.write(f"{DEFINITIONS}/{resource.name}.json", resource.definition())
        registration.add(folder, resource)
    generated.format_files(folder, registration.SHARED)


if __name__ == "__main__":
    try:
        main()
    except Invalid as error:
        raise SystemExit(str(error)) from None
