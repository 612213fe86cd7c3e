"""Custom resources have no schema that can be had offline: here is a strict one of what we use of each.

It is ours, not the operators': it refuses unknown and missing keys of the parts that we write, and proves no
more than that.
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
_FLAG: Final[Schema] = {"type": "boolean"}
_ANY: Final[Schema] = {"type": "object"}


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


_LISTENER: Final = _object(
    {"name": _TEXT, "port": _COUNT, "type": _TEXT, "tls": {"const": True}},
    {"authentication": _ANY, "networkPolicyPeers": _list(_ANY)},
)
_BACKEND: Final = _object({"name": _TEXT, "port": _COUNT})
_MATCH: Final = _object(
    {
        "path": _object(
            {"type": {"enum": ["PathPrefix", "Exact"]}, "value": {"type": "string", "pattern": "^/"}}
        )
    }
)
_ALERT: Final = _object(
    {"alert": _TEXT, "expr": _TEXT, "labels": _object({"severity": {"enum": ["warning", "critical"]}})},
    {"for": _TEXT, "annotations": _object({"summary": _TEXT, "runbook": _TEXT})},
)
_ROLE: Final = _object(
    {
        "name": _TEXT,
        "ensure": {"const": "present"},
        "login": _FLAG,
        "passwordSecret": _object({"name": _TEXT}),
    }
)
_ACL: Final = _object(
    {
        "resource": _object(
            {"type": {"enum": ["topic", "group", "cluster"]}},
            {"name": _TEXT, "patternType": {"enum": ["literal", "prefix"]}},
        ),
        "operations": _list(_TEXT),
    }
)
_ENDPOINT: Final = _object({"port": _TEXT, "path": {"const": "/metrics"}, "interval": _TEXT})

SPECS: Final[Mapping[tuple[str, str], Schema]] = {
    ("kafka.strimzi.io/v1", "KafkaTopic"): _object(
        {
            "partitions": _COUNT,
            "replicas": _COUNT,
            "config": {
                "type": "object",
                "required": ["cleanup.policy", "min.insync.replicas"],
                "propertyNames": {"pattern": r"^[a-z]+(\.[a-z]+)+$"},
            },
        },
        {"topicName": _TEXT},
    ),
    ("kafka.strimzi.io/v1", "KafkaNodePool"): _object(
        {"replicas": _COUNT, "roles": _list({"enum": ["controller", "broker"]}), "storage": _ANY},
        {"resources": _ANY, "jvmOptions": _ANY},
    ),
    ("kafka.strimzi.io/v1", "Kafka"): _object(
        {
            "kafka": _object(
                {"version": _TEXT, "listeners": _list(_LISTENER), "config": _ANY},
                {"metadataVersion": _TEXT, "authorization": _ANY, "rack": _ANY},
            ),
            "entityOperator": _object({"topicOperator": _ANY, "userOperator": _ANY}),
        }
    ),
    ("kafka.strimzi.io/v1", "KafkaUser"): _object(
        {
            "authentication": _object({"type": {"const": "scram-sha-512"}}),
            "authorization": _object({"type": {"const": "simple"}, "acls": _list(_ACL)}),
        }
    ),
    ("postgresql.cnpg.io/v1", "Cluster"): _object(
        {
            "instances": _COUNT,
            "imageName": _TEXT,
            "storage": _ANY,
            "postgresql": _object({"parameters": {"type": "object", "additionalProperties": _TEXT}}),
            "managed": _object({"roles": _list(_ROLE)}),
        },
        {
            "primaryUpdateStrategy": _TEXT,
            "enableSuperuserAccess": {"const": False},
            "minSyncReplicas": _COUNT,
            "maxSyncReplicas": _COUNT,
            "walStorage": _ANY,
            "resources": _ANY,
            "affinity": _ANY,
        },
    ),
    ("postgresql.cnpg.io/v1", "Database"): _object(
        {
            "cluster": _object({"name": _TEXT}),
            "name": _TEXT,
            "owner": {"type": "string", "pattern": "_owner$"},
        }
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): _object(
        {
            "parentRefs": _list(_object({"name": _TEXT}, {"namespace": _TEXT, "sectionName": _TEXT})),
            "hostnames": _list(_TEXT),
            "rules": _list(
                _object({"matches": _list(_MATCH), "backendRefs": _list(_BACKEND)}, {"timeouts": _ANY})
            ),
        }
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): _object(
        {"selector": _ANY, "endpoints": _list(_ENDPOINT)}, {"targetLabels": _list(_TEXT)}
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): _object(
        {"groups": _list(_object({"name": _TEXT, "rules": _list(_ALERT)}))}
    ),
}

_METADATA: Final = _object({"name": _TEXT}, {"namespace": _TEXT, "labels": _ANY, "annotations": _ANY})


def is_custom(group: str) -> bool:
    """Whether an apiVersion belongs to an operator: its group is neither the core's nor *.k8s.io or a short one."""
    domain = group.rpartition("/")[0]
    return domain in {known.rpartition("/")[0] for known, _ in SPECS}


def problems_of(document: Mapping[str, Any]) -> list[str]:
    """What our schema of this kind says."""
    spec = SPECS.get((str(document.get("apiVersion")), str(document.get("kind"))))
    if spec is None:
        return [f"no schema of ours for {document.get('apiVersion')} {document.get('kind')}"]
    whole = _object({"apiVersion": _TEXT, "kind": _TEXT, "metadata": _METADATA, "spec": spec})
    return [
        f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(document)
    ]
