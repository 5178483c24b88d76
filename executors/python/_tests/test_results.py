"""What becomes of values on their way into a handler and out of it: stored whole, or refused by name."""

import dataclasses
import datetime
import decimal
import enum
import json
import sys
import typing
import unittest
import uuid

import peer  # noqa: F401  which knows where the host is

sys.path.insert(0, peer.SDK)

import tasker  # noqa: E402
from tasker import testing  # noqa: E402
from tasker_host import failure, result_json, typed_inputs  # noqa: E402

ID = uuid.UUID("00000000-0000-0000-0000-000000000001")
NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)


class Kind(str, enum.Enum):
    BIG = "big"


class Level(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Part:
    at: typing.Optional[datetime.datetime] = None
    day: typing.Optional[datetime.date] = None
    price: typing.Optional[decimal.Decimal] = None
    id: typing.Optional[uuid.UUID] = None
    kind: typing.Optional[Kind] = None
    level: typing.Optional[Level] = None
    size: typing.Optional[typing.Literal[1, "x"]] = None
    named: typing.Dict[Kind, int] = dataclasses.field(default_factory=dict)
    numbered: typing.Dict[int, str] = dataclasses.field(default_factory=dict)
    dated: typing.Dict[datetime.date, str] = dataclasses.field(default_factory=dict)
    tags: typing.FrozenSet[str] = frozenset()

    def __post_init__(self):
        if self.price is not None and self.price < 0:
            raise ValueError("a price is not negative")


def build(context):
    errors = []
    built = typed_inputs.converter(Part, {}, "Part")(context, "task.context", errors)
    return errors or built


def text(value):
    return json.loads(result_json.generate(value, 1 << 20, 64))


class Results(unittest.TestCase):
    async def _coroutine(self):
        pass

    def _generator(self):
        yield 1

    async def _async_generator(self):
        yield 1

    def test_what_is_refused_is_named_with_its_place_and_type(self):
        coroutine = self._coroutine()
        self.addCleanup(coroutine.close)
        for value, said in (
            ([1, {"price": float("nan")}], "result.items[1].price is nan"),
            ([float("-inf")], "result.items[0] is -inf"),
            ([decimal.Decimal("NaN")], "result.items[0] is the Decimal NaN"),
            ([decimal.Decimal("sNaN"), decimal.Decimal("Infinity")], "result.items[0] is the Decimal sNaN"),
            (self._generator(), "result.items is a generator, which JSON cannot hold; return a list"),
            ([self._async_generator()], "result.items[0] is an async_generator"),
            (coroutine, "result.items is a coroutine, which JSON cannot hold; await it"),
            (b"x", "result.items is a bytes"),
            ([object()], "result.items[0] is an object"),
            (range(3), "result.items is a range"),
            (datetime.time(12), "result.items is a datetime.time"),
            (datetime.timedelta(1), "result.items is a datetime.timedelta"),
            (Level, "result.items is an enum.EnumMeta" if sys.version_info < (3, 11) else "result.items is an enum.EnumType"),
            (ValueError("x"), "result.items is a ValueError"),
            ({"a": ["caf\udce9"]}, "result.items.a[0] holds a lone surrogate"),
            ({"a": {"b": "x\0y"}}, "result.items.a.b holds the character U+0000"),
            ({"x\0y": 1}, "result.items holds the character U+0000"),
            ([1, 10**5000], "result.items[1] is a number beyond ±1.8e308"),
            ({(1, 2): 3}, "result.items has a key that is a tuple"),
            ({float("nan"): 1}, "result.items is nan"),
            ({"x": object(), 1: "a", "1": "b"}, "result.items"),
            ({Level.ONE: "a", 1: "b"}, "result.items has two keys that are '1' in JSON"),
            ({ID: "a", str(ID): "b"}, "has two keys"),
        ):
            with self.assertRaises(result_json.Invalid) as refused:
                text({"items": value})
            self.assertIn(said, str(refused.exception))

    def test_depth_and_cycles_are_named_with_their_place(self):
        cycle = {}
        cycle["self"] = [cycle]
        deep = {"x": 1}
        for _ in range(70):
            deep = {"in": [deep]}
        for value, said in ((cycle, "result.self[0].self[0]"), (deep, "result.in[0].in[0]")):
            with self.assertRaisesRegex(result_json.Invalid, "nested too deeply") as refused:
                text(value)
            self.assertIn(said, str(refused.exception))

    def test_what_a_typed_input_holds_a_result_holds(self):
        context = {
            "at": "2026-01-31T12:00:00.000000Z", "day": "2026-01-31", "price": "1.50", "id": str(ID), "kind": "big", "level": 1,
            "size": "x", "named": {"big": 1}, "numbered": {"7": "a"}, "dated": {"2026-01-31": "b"}, "tags": ["x"],
        }  # fmt: skip
        built = build(context)
        self.assertEqual((built.at, built.id, built.numbered, built.named), (NOON, ID, {7: "a"}, {Kind.BIG: 1}))
        self.assertEqual(text(built), context)
        self.assertEqual(text([built, {"id": ID, ID: {ID.int: decimal.Decimal("1e400")}}])[1], {"id": str(ID), str(ID): {"1": "1E+400"}})

    def test_an_input_takes_the_members_of_its_type_and_no_others(self):
        for context, said in (
            ({"price": "NaN"}, "task.context.price: want a decimal, got 'NaN'"),
            ({"price": "-Infinity"}, "task.context.price: want a decimal"),
            ({"price": "-1"}, "task.context: a price is not negative"),
            ({"level": True}, "task.context.level: want one of 1, got True"),
            ({"size": True}, "task.context.size: want one of 1, 'x', got True"),
            ({"day": "20260131"}, "task.context.day: want a date"),
            ({"day": "2026-W05-6"}, "task.context.day: want a date"),
            ({"named": {"small": 1}}, "task.context.named.small: want one of 'big'"),
            ({"numbered": {"x": "a"}}, "task.context.numbered.x: want a whole number as name"),
        ):
            self.assertIn(said, str(build(context)))
        self.assertEqual(build({"at": "2026-01-31T12:00:00.1Z"}).at, NOON.replace(microsecond=100000))
        self.assertEqual(build({"at": "2026-01-31T14:00:00.123456789+02:00"}).at, NOON.replace(microsecond=123456))
        self.assertEqual(build({"size": 1}).size, 1)

    def test_keys_that_cannot_be_built_are_told_when_the_file_is_loaded(self):
        with self.assertRaisesRegex(typed_inputs.UnknownType, "Part.x: keys of type <class 'float'>"):
            typed_inputs.converter(typing.Dict[float, str], {}, "Part.x")

    def test_a_uuid_by_a_handler(self):
        def echo(context: Part):
            return context

        got = testing.run(echo, context={"id": str(ID)})
        self.assertEqual(got.result and got.result["id"], str(ID), got.failure)


class Members(unittest.TestCase):
    """The optional members of a failure, a deferral and a heartbeat."""

    def failed(self, error, **more):
        def fail(task, sequence, step):
            raise error

        return testing.run(fail, **more)

    def test_durations_and_dates_are_waited_for(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
        tokyo = soon.astimezone(datetime.timezone(datetime.timedelta(hours=9)))
        for value, seconds in (
            (3, 3), (0, 0), (1.5, 1.5), ("30", 30), (decimal.Decimal("2.5"), 2.5), (datetime.timedelta(minutes=1), 60),
            (soon, 60), (soon.replace(tzinfo=None), 60), (tokyo, 60), (NOON.replace(year=2001), 0), (datetime.date(2001, 1, 1), 0),
            (10**400, 1e9), (1e300, 1e9), (datetime.date(9999, 1, 1), 1e9),
        ):  # fmt: skip
            got = self.failed(tasker.RetryableError("busy", retry_after=value)).failure
            self.assertAlmostEqual(got.retry_after, seconds, delta=30, msg=repr(value))
            self.assertEqual((got.message, got.details), ("busy", None))
            got = self.failed(tasker.Deferred(value)) if value != "30" else None
            self.assertTrue(got is None or abs(got.resume_after - seconds) <= 30, value)

    def test_superclasses_are_recorded(self):
        class Refused(ConnectionRefusedError):
            pass

        recorded = [failure.of(error).get("ancestors") for error in (Refused(), ConnectionError(), ValueError(), tasker.PermanentError("no"))]
        self.assertEqual(recorded, [["ConnectionRefusedError", "ConnectionError", "OSError"], ["OSError"], None, ["tasker.Error"]])

    def test_dates_of_headers_are_waited_for(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
        for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"):
            got = self.failed(tasker.RetryableError("busy", retry_after=soon.strftime(form))).failure
            self.assertAlmostEqual(got.retry_after, 60, delta=30, msg=form)

    def test_what_is_no_duration_is_named_and_costs_nothing_else(self):
        for value in ("Wed, 99 Oct 2037 07:28:00 GMT", "soon", True, -1, float("nan"), float("inf"), [], {}, b"5", datetime.timedelta(-1), datetime.time(12)):
            run = self.failed(tasker.RetryableError("busy", retry_after=value, context={"bank": 1}))
            got = run.failure
            self.assertEqual((got.kind, got.error_class, got.message, got.retry_after), ("retryable", "tasker.RetryableError", "busy", None))
            self.assertEqual(got.details["bank"], 1)
            self.assertIn("is no duration", got.details["retry_after_ignored"])
            self.assertIn("retry_after is ignored: " + repr(value), run.logs[0]["message"])

    def test_a_context_or_code_that_cannot_be_told_costs_nothing_else(self):
        class Odd:
            def __str__(self):
                raise RuntimeError("no")

            def model_dump(self, **how):
                raise RuntimeError("no dump")

        got = self.failed(tasker.RetryableError("busy", retry_after=3, context=Odd())).failure
        self.assertEqual((got.message, got.retry_after, got.details), ("busy", 3, {"details_dropped": "no dump"}))
        got = self.failed(tasker.PermanentError("no", error_code=Odd(), context={"a": float("nan")})).failure
        self.assertEqual((got.kind, got.message, got.code), ("permanent", "no", "(unprintable Odd)"))
        self.assertIn("context.a is nan", got.details["details_dropped"])

    def test_a_checkpoint_that_cannot_be_kept_is_named(self):
        def stops(task, sequence, step):
            step.checkpoint = {"rows": {1, object()}}
            step.check()

        got = testing.run(stops, cancel="timeout")
        self.assertEqual(got.kind, "cancelled")
        self.assertIn("the checkpoint is not kept: checkpoint.rows[", " ".join(log["message"] for log in got.logs))

    def test_a_subclass_need_not_have_them(self):
        class Busy(tasker.RetryableError):
            def __init__(self):
                pass

        class Worse(tasker.RetryableError):
            @property
            def retry_after(self):
                raise KeyError("no header")

            @retry_after.setter
            def retry_after(self, value):
                pass

        self.assertEqual(self.failed(Busy()).failure.error_class.rpartition(".")[2], "Busy")
        got = self.failed(Worse("busy")).failure
        self.assertEqual((got.message, got.details), ("busy", {"retry_after_ignored": "'no header'"}))

    def test_a_heartbeat_says_what_it_can(self):
        def beat(task, sequence, step):
            step.heartbeat("half", ["on", 1], {"at": NOON})
            step.heartbeat(decimal.Decimal("0.5"), "ok", object())

        got = testing.run(beat)
        self.assertEqual(got.heartbeats, [{"message": "['on', 1]", "details": {"at": "2026-01-31T12:00:00.000000Z"}}, {"progress": 0.5, "message": "ok"}])
        self.assertEqual(["progress is left out" in got.logs[0]["message"], "details is left out" in got.logs[1]["message"]], [True, True])


class Misuse(unittest.TestCase):
    """A failure that a retry does not correct is permanent."""

    def test_is_permanent(self):
        async def blocks(task, sequence, step):
            step.publish_event("paid")

        def wrong_delivery(task, sequence, step):
            step.publish_event("paid", delivery="later")

        def no_json(task, sequence, step):
            step.save_checkpoint({"at": object()})

        def no_duration(task, sequence, step):
            raise tasker.Deferred("soon")

        def takes_two(task, sequence):
            pass

        class NeedsMore:
            def __init__(self, gateway):
                pass

            def process(self, task, sequence, step):
                pass

        for handler, said in (
            (blocks, "await step.apublish_event"), (wrong_delivery, "later"), (no_json, "checkpoint.checkpoint.at is an object"),
            (no_duration, "resume_after"), (takes_two, "takes 2 positional arguments"), (NeedsMore, "gateway"),
        ):  # fmt: skip
            got = testing.run(handler).failure
            self.assertEqual(got.kind, "permanent", got)
            self.assertIn(said, got.message)

    def test_a_type_error_of_the_handlers_own_is_retried(self):
        self.assertEqual(testing.run(lambda task, sequence, step: None + 1).failure.kind, "retryable")


class Backtraces(unittest.TestCase):
    def test_begin_with_the_frame_of_the_handler(self):
        def plain(task, sequence, step):
            step.publish_event("paid", delivery="later")

        async def on_loop(task, sequence, step):
            raise ValueError("x")

        def returns_coroutine(task, sequence, step):
            return on_loop(task, sequence, step)

        class Classy:
            def __init__(self, config):
                raise ValueError("x")

            def process(self, task, sequence, step):
                pass

        for handler, name in ((plain, "plain"), (on_loop, "on_loop"), (returns_coroutine, "on_loop"), (Classy, "__init__")):
            first = testing.run(handler).failure.backtrace[0]
            self.assertTrue(first.startswith(f'File "{__file__}"') and first.endswith(f"in {name}"), first)

    def test_of_an_exception_that_is_kept_are_those_of_this_attempt(self):
        kept = tasker.RetryableError("always the same")

        def first(task, sequence, step):
            try:
                raise KeyError("only once")
            except KeyError:
                raise kept

        def second(task, sequence, step):
            raise kept

        self.assertIn("in first", " ".join(testing.run(first).failure.backtrace))
        trace = json.dumps(testing.run(second).failure.backtrace)
        self.assertIn("in second", trace)
        self.assertNotIn("in first", trace)
        self.assertIsNone(kept.__context__)


if __name__ == "__main__":
    unittest.main()
