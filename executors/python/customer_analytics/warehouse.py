"""The systems that the pipeline reads and writes, simulated without a network.

They answer the same to the same question, always. A task whose context holds {"simulate": {"crm": "auth_failed"}}
finds the CRM refusing it; see FAULTS for the other faults, which any of the systems can have.
"""

import datetime

ORDERS_PER_DAY = 10
ORDERS_MAX = 1000
USER_COUNT = 120
PRODUCT_COUNT = 24
SEGMENTS = ["new", "regular", "vip"]


class AuthFailed(Exception):
    """The system refused our credentials."""


class InvalidQuery(Exception):
    """The system does not understand the question."""


class RateLimited(Exception):
    """The system wants us to come back later."""


FAULTS = {
    "auth_failed": AuthFailed,
    "connection": ConnectionError,
    "invalid_query": InvalidQuery,
    "rate_limited": RateLimited,
    "timeout": TimeoutError,
}


def connect(system, task):
    """Raise the fault that the task wants of this system, if any."""
    fault = task.context.get("simulate", {}).get(system)
    if fault:
        raise FAULTS[fault](f"{system}: {fault.replace('_', ' ')}")


def orders(start, end):
    """The orders of the days from start to end, both included."""
    count = min(((end - start).days + 1) * ORDERS_PER_DAY, ORDERS_MAX)
    return [_order(n, start + datetime.timedelta(days=n // ORDERS_PER_DAY)) for n in range(count)]


def _order(n, day):
    product = n * 7 % PRODUCT_COUNT + 1
    quantity = n % 3 + 1
    return {
        "order_id": n + 1,
        "user_id": (n * 11 + n // PRODUCT_COUNT) % USER_COUNT + 1,
        "product_id": product,
        "quantity": quantity,
        "total": round(_price(product) * quantity, 2),
        "ordered_on": day.isoformat(),
    }


def users():
    """Every customer that the CRM knows; of a few it does not know the segment."""
    return [
        {
            "user_id": n,
            "email": f"user{n}@example.com",
            "segment": None if n % 40 == 0 else SEGMENTS[n % len(SEGMENTS)],
        }
        for n in range(1, USER_COUNT + 1)
    ]


def products():
    """Every product with its price and stock."""
    return [
        {"product_id": n, "name": f"Product {n}", "price": _price(n), "stock": n * 13 % 50}
        for n in range(1, PRODUCT_COUNT + 1)
    ]


def _price(product):
    return round(4.99 + product * 2.5, 2)
