"""What the other files check with."""

from solidfire.common import ApiServerError

count = 0

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def equal(found, expected):
    """Both are the same."""
    global count
    count += 1
    assert found == expected, f"found {found!r}, expected {expected!r}"


def true(condition, why):
    """It holds."""
    global count
    count += 1
    assert condition, why


def fails(name, call, *args, **kwargs):
    """The call fails with the error `name` and code 500, as the SDK's own exception."""
    try:
        result = call(*args, **kwargs)
    except ApiServerError as error:
        equal((error.error_name, error.error_code), (name, 500))
        true(error.message, "the error has a message")
        return
    raise AssertionError(f"{call.__name__} returned {result!r} instead of {name}")
