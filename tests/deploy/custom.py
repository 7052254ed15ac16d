"""The two custom resources that deploy/kubernetes makes, as far as it uses them: every field that
may be there, and those that must. Held against KEDA 2.20 and the Prometheus operator 0.93."""

from typing import Any

Schema = dict[str, Any]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of, "minItems": 1}


def _resource(api: str, kind: str, spec: Schema) -> Schema:
    names = {"type": "object", "additionalProperties": _TEXT}
    metadata = _object(("name",), name=_TEXT, namespace=_TEXT, labels=names)
    return _object(
        ("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": api},
        kind={"const": kind},
        metadata=metadata,
        spec=spec,
    )


_TEXT: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_DURATION: Schema = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}

_RULES = _object(
    ("policies",),
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
    policies=_list(
        _object(
            ("type", "value", "periodSeconds"),
            type={"enum": ["Pods", "Percent"]},
            value={"type": "integer", "minimum": 1},
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        )
    ),
)
_PROMETHEUS = _object(
    ("type", "metricType", "metadata"),
    type={"const": "prometheus"},
    name=_TEXT,
    metricType={"enum": ["AverageValue", "Value"]},
    # A table of strings, whatever is in them.
    metadata=_object(
        ("serverAddress", "query", "threshold"),
        serverAddress={"type": "string", "pattern": "^https?://"},
        query=_TEXT,
        threshold={"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"},
        ignoreNullValues={"enum": ["true", "false"]},
    ),
)

SCHEMAS: dict[str, Schema] = {
    "ScaledObject": _resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _object(
            ("scaleTargetRef", "triggers"),
            scaleTargetRef=_object(("name",), apiVersion=_TEXT, kind=_TEXT, name=_TEXT),
            minReplicaCount=_COUNT,
            maxReplicaCount=_COUNT,
            triggers=_list(_PROMETHEUS),
            advanced=_object(
                horizontalPodAutoscalerConfig=_object(
                    name=_TEXT, behavior=_object(scaleUp=_RULES, scaleDown=_RULES)
                )
            ),
        ),
    ),
    "PodMonitor": _resource(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        _object(
            ("selector", "podMetricsEndpoints"),
            jobLabel=_TEXT,
            selector=_object(matchLabels={"type": "object", "additionalProperties": _TEXT}),
            podMetricsEndpoints=_list(
                _object(
                    ("port",),
                    port=_TEXT,
                    path={"type": "string", "pattern": "^/"},
                    interval=_DURATION,
                    scrapeTimeout=_DURATION,
                    authorization=_object(
                        ("credentials",),
                        credentials=_object(("name", "key"), name=_TEXT, key=_TEXT),
                    ),
                )
            ),
        ),
    ),
}
