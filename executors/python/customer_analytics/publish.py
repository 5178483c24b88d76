"""Show the insights on the dashboard, and tell those who asked to be told."""

import hashlib

import tasker

from customer_analytics import warehouse
from customer_analytics.steps import now, result_of

DEFAULT_CHANNELS = ["#data-team"]


@tasker.handler
def update_dashboard(task, sequence, step):
    insights = result_of(sequence, "generate_insights", "insights", "MISSING_INSIGHTS_DATA")
    try:
        warehouse.connect("dashboard", task)
    except warehouse.AuthFailed as error:
        raise tasker.PermanentError(str(error), error_code="DASHBOARD_AUTH_FAILED") from error

    return {
        "dashboard_update": {"dashboard": "customer_analytics", "widgets": sorted(insights), "status": "updated"},
        "dashboard_metadata": {"update_id": _id("update", step), "widget_count": len(insights)},
        "updated_at": now(),
    }


@tasker.handler
def send_notifications(task, sequence, step):
    insights = result_of(sequence, "generate_insights", "insights", "MISSING_INSIGHTS_DATA")
    channels = _channels(task)
    try:
        warehouse.connect("notifications", task)
    except warehouse.RateLimited as error:
        raise tasker.RetryableError(str(error), retry_after=60) from error

    message = f"Customer analytics: revenue {insights['revenue']:.2f}, {len(insights['reorder'])} products to reorder"
    sent = [
        {"channel": channel, "message": message, "message_id": _id(channel, step), "status": "sent"}
        for channel in channels
    ]
    return {
        "notifications_sent": sent,
        "notification_metadata": {"channel_count": len(channels)},
        "sent_at": now(),
    }


def _channels(task):
    channels = task.context.get("notification_channels", DEFAULT_CHANNELS)
    if not channels:
        raise tasker.PermanentError("there is nobody to notify", error_code="MISSING_NOTIFICATION_CHANNELS")
    wrong = [channel for channel in channels if not (channel.startswith("#") or "@" in channel)]
    if wrong:
        raise tasker.PermanentError(
            f"neither a #channel nor an address: {', '.join(wrong)}", error_code="INVALID_NOTIFICATION_CHANNELS"
        )
    return channels


def _id(effect, step):
    """The same for every attempt of a step, so that a repeated effect is known to be the same one."""
    return hashlib.sha256(f"{effect}:{step.idempotency_key}".encode()).hexdigest()[:12]
