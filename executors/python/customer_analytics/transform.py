"""Turn the extracted records into figures for each customer and each product."""

import collections

import tasker

from customer_analytics.steps import now, require_records, result_of, thresholds


@tasker.handler
def transform_customer_metrics(task, sequence, step):
    orders = result_of(sequence, "extract_orders", "orders_data", "MISSING_ORDERS_DATA")
    users = result_of(sequence, "extract_users", "users_data", "MISSING_USERS_DATA")
    limits = thresholds(task)
    require_records(orders, limits["min_order_records"], "orders")
    require_records(users, limits["min_customer_records"], "customers")
    nulls = _null_percentage(users, limits["max_null_percentage"])

    orders_of = _group_by(orders, "user_id")
    metrics = [_customer(user, orders_of[user["user_id"]]) for user in users]
    return {
        "customer_metrics": metrics,
        "transformation_metadata": {"input_records": len(orders) + len(users), "null_percentage": nulls},
        "transformed_at": now(),
    }


@tasker.handler
def transform_product_metrics(task, sequence, step):
    orders = result_of(sequence, "extract_orders", "orders_data", "MISSING_ORDERS_DATA")
    products = result_of(sequence, "extract_products", "products_data", "MISSING_PRODUCTS_DATA")
    require_records(orders, thresholds(task)["min_order_records"], "orders")

    orders_of = _group_by(orders, "product_id")
    metrics = [_product(product, orders_of[product["product_id"]]) for product in products]
    return {
        "product_metrics": metrics,
        "transformation_metadata": {"input_records": len(orders) + len(products)},
        "transformed_at": now(),
    }


def _group_by(records, key):
    groups = collections.defaultdict(list)
    for record in records:
        groups[record[key]].append(record)
    return groups


def _customer(user, orders):
    spent = round(sum(order["total"] for order in orders), 2)
    return {
        "user_id": user["user_id"],
        "segment": user["segment"],
        "order_count": len(orders),
        "total_spent": spent,
        "average_order": round(spent / len(orders), 2) if orders else 0,
    }


def _product(product, orders):
    return {
        "product_id": product["product_id"],
        "name": product["name"],
        "units_sold": sum(order["quantity"] for order in orders),
        "revenue": round(sum(order["total"] for order in orders), 2),
        "stock": product["stock"],
    }


def _null_percentage(users, maximum):
    values = [value for user in users for value in user.values()]
    nulls = values.count(None) / len(values)
    if nulls > maximum:
        raise tasker.PermanentError(
            f"{nulls:.1%} of the customers' values are null, more than the {maximum:.1%} that the task allows",
            error_code="INSUFFICIENT_DATA",
        )
    return round(nulls, 4)
