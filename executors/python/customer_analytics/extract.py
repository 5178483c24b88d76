"""Read orders, users and products from the systems that own them. The three steps run side by side."""

import datetime

import tasker

from customer_analytics import warehouse
from customer_analytics.steps import now


@tasker.handler
def extract_orders(task, sequence, step):
    start, end = _date_range(task)
    try:
        warehouse.connect("orders", task)
    except warehouse.InvalidQuery as error:
        raise tasker.PermanentError(str(error), error_code="INVALID_EXTRACTION_QUERY") from error
    orders = warehouse.orders(start, end)
    return {"orders_data": orders, **_metadata(task, "orders", orders)}


@tasker.handler
def extract_users(task, sequence, step):
    _date_range(task)
    try:
        warehouse.connect("crm", task)
    except warehouse.AuthFailed as error:
        raise tasker.PermanentError(str(error), error_code="CRM_AUTH_FAILED") from error
    users = warehouse.users()
    return {"users_data": users, **_metadata(task, "crm", users)}


@tasker.handler
def extract_products(task, sequence, step):
    _date_range(task)
    try:
        warehouse.connect("inventory", task)
    except warehouse.AuthFailed as error:
        raise tasker.PermanentError(str(error), error_code="INVENTORY_AUTH_FAILED") from error
    products = warehouse.products()
    return {"products_data": products, **_metadata(task, "inventory", products)}


def _metadata(task, source, records):
    return {
        "extraction_metadata": {
            "source": source,
            "record_count": len(records),
            "date_range": task.context["date_range"],
            "force_refresh": task.context.get("force_refresh", False),
            "processing_mode": task.context.get("processing_mode", "standard"),
        },
        "extracted_at": now(),
    }


def _date_range(task):
    dates = _present(task.context.get("date_range"), "MISSING_DATE_RANGE", "the task has no date_range")
    start = _date(_present(dates.get("start_date"), "MISSING_START_DATE", "date_range has no start_date"))
    end = _date(_present(dates.get("end_date"), "MISSING_END_DATE", "date_range has no end_date"))
    if end < start:
        raise tasker.PermanentError(
            f"date_range ends on {end}, before it starts on {start}", error_code="INVALID_DATE_RANGE"
        )
    return start, end


def _present(value, error_code, message):
    if not value:
        raise tasker.PermanentError(message, error_code=error_code)
    return value


def _date(text):
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise tasker.PermanentError(
            f"{text!r} is not a date like 2025-01-31", error_code="INVALID_DATE_FORMAT"
        ) from error
