"""Say what the figures mean."""

import collections

import tasker

from customer_analytics.steps import now, result_of

TOP = 5
LOW_STOCK = 10


@tasker.handler
def generate_insights(task, sequence, step):
    customers = result_of(sequence, "transform_customer_metrics", "customer_metrics", "MISSING_CUSTOMER_METRICS")
    products = result_of(sequence, "transform_product_metrics", "product_metrics", "MISSING_PRODUCT_METRICS")

    return {
        "insights": {
            "revenue": round(sum(product["revenue"] for product in products), 2),
            "revenue_by_segment": _revenue_by_segment(customers),
            "top_customers": _top(customers, "total_spent", "user_id"),
            "top_products": _top(products, "revenue", "product_id"),
            "reorder": [p["product_id"] for p in products if p["stock"] < LOW_STOCK and p["units_sold"]],
        },
        "insights_metadata": {"customer_count": len(customers), "product_count": len(products)},
        "generated_at": now(),
    }


def _revenue_by_segment(customers):
    revenue = collections.Counter()
    for customer in customers:
        revenue[customer["segment"] or "unknown"] += customer["total_spent"]
    return {segment: round(total, 2) for segment, total in sorted(revenue.items())}


def _top(records, figure, key):
    best = sorted(records, key=lambda record: (-record[figure], record[key]))[:TOP]
    return [{key: record[key], figure: record[figure]} for record in best]
