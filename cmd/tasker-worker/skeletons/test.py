import unittest

from {{.Namespace}}.{{.Name}} import {{.Name}}
from tasker import testing


class {{.Class}}Test(unittest.TestCase):
    def test_succeeds(self):
        outcome = testing.run({{.Name}}, context={"a": 1}{{if .After}}, results={"{{.After}}": {"b": 2}}{{end}})
        self.assertEqual(outcome.kind, "success", outcome.failure)
        self.assertEqual(outcome.result["context"], {"a": 1})
{{- if .After}}
        self.assertEqual(outcome.result["before"], {"b": 2})
{{- end}}


if __name__ == "__main__":
    unittest.main()
