"""Runs every test of the validator, and prints what came of each as JSON.

The tests ask for random regions, sizes and names. With the same seed two runs ask for the same, so
that their outcomes can be compared.
"""
import json
import random
import sys
import urllib
import urllib.request

from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

# Three of the tests call it by its name in Python 2.
urllib.urlopen = urllib.request.urlopen

server, prefix, identifier, version, seed = sys.argv[1:]


def outcome(name):
    random.seed(f"{seed} {name}")
    asked = ImageAPI(identifier, server, prefix, "http", "", version, debug=False)
    try:
        TestSuite(ValidationInfo()).run_test(name, asked)
    except Exception as error:  # The validator's own faults, and connections that break.
        return f"error: {error}"
    failure = asked.exception
    if failure is None:
        return "pass"
    return f"{failure.type}: got {failure.got}, not {failure.expected}".replace(server, "SERVER")


names = sorted(TestSuite(ValidationInfo()).list_tests(version))
print(json.dumps({name: outcome(name) for name in names}))
