"""InferICD10CM for boto3's own client, pointed at this service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from starlette.datastructures import URL, Headers

from api.interop.comprehend.entities import MOST_CONCEPTS
from api.interop.comprehend.sigv4 import SignatureRefused, Signed, verify

Service = Any
Running = Any
TEXT = (
    "HPI: 55 yo with shortness of breath. Denies fever. Mother had breast cancer.\n"
    "Assessment: Ménière's disease 🙂, type 2 diabetes, acute left knee pain. Possible pneumonia."
)
SECRET = "secret-of-the-tests"


def aws(service: Service, key: str = "anything", secret: str = "anything") -> Any:
    return boto3.client(
        "comprehendmedical",
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        endpoint_url=f"{service.address}/compat/comprehendmedical",
        config=Config(retries={"total_max_attempts": 1}),
    )


def shape() -> Any:
    model = boto3.client("comprehendmedical", region_name="us-east-1").meta.service_model
    return model.operation_model("InferICD10CM").output_shape


def check_shape(value: Any, wanted: Any) -> None:
    """That a value is of its shape in the service's model, with nothing that the model does not have."""
    if wanted.type_name == "structure":
        for name, member in value.items():
            check_shape(member, wanted.members[name])
    elif wanted.type_name == "list":
        for item in value:
            check_shape(item, wanted.member)
    else:
        kinds: dict[str, Any] = {"string": str, "integer": int, "float": (int, float)}
        assert isinstance(value, kinds[wanted.type_name])
        assert not getattr(wanted, "enum", None) or value in wanted.enum


def test_boto3_gets_entities_of_the_service_model(service: Service) -> None:
    answer = aws(service).infer_icd10_cm(Text=TEXT)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200 and answer["ResponseMetadata"]["RequestId"]
    assert answer["ModelVersion"]
    check_shape({k: v for k, v in answer.items() if k != "ResponseMetadata"}, shape())
    found = {e["Text"]: e for e in answer["Entities"]}
    assert all(TEXT[e["BeginOffset"] : e["EndOffset"]] == e["Text"] for e in answer["Entities"])
    assert [e["Id"] for e in answer["Entities"]] == list(range(len(found)))
    ends = [0, *(e["EndOffset"] for e in answer["Entities"])]
    assert all(e["BeginOffset"] >= end for e, end in zip(answer["Entities"], ends, strict=False)), "none overlap"
    assert all(1 <= len(e["ICD10CMConcepts"]) <= MOST_CONCEPTS for e in answer["Entities"])
    traits = {text: [t["Name"] for t in e["Traits"]] for text, e in found.items()}
    assert traits["fever"] == ["SYMPTOM", "NEGATION"]
    assert "PERTAINS_TO_FAMILY" in traits["Mother had breast cancer"]
    assert traits["pneumonia"] == ["DIAGNOSIS", "LOW_CONFIDENCE"]
    assert traits["type 2 diabetes"] == ["DIAGNOSIS"]
    assert found["type 2 diabetes"]["ICD10CMConcepts"][0]["Code"] == "E11.9"
    knee = next(e for text, e in found.items() if "knee pain" in text)
    assert {(a["Type"], a["Text"]) for a in knee["Attributes"]} == {("DIRECTION", "left"), ("ACUITY", "acute")}
    assert all(TEXT[a["BeginOffset"] : a["EndOffset"]] == a["Text"] for a in knee["Attributes"])
    scores = [c["Score"] for c in knee["ICD10CMConcepts"]]
    assert scores == sorted(scores, reverse=True) and knee["Score"] == scores[0]


def test_errors_have_the_names_that_programs_catch(service: Service) -> None:
    client = aws(service)
    with pytest.raises(client.exceptions.TextSizeLimitExceededException):
        client.infer_icd10_cm(Text="x" * 10_001)
    assert client.infer_icd10_cm(Text="x" * 10_000)["Entities"] == []
    assert client.infer_icd10_cm(Text=" ")["Entities"] == []
    with pytest.raises(ClientError) as other:
        client.detect_entities_v2(Text="Gout.")
    assert other.value.response["Error"]["Code"] == "UnknownOperationException"
    target = {"X-Amz-Target": "ComprehendMedical_20181030.InferICD10CM", "Content-Type": "application/x-amz-json-1.1"}
    for body, name in (
        (b"{}", "ValidationException"),
        (b'{"Text": ""}', "ValidationException"),
        (b'{"Text": 3}', "ValidationException"),
        (b"no JSON", "SerializationException"),
        (b'{"Text": "\xff"}', "InvalidEncodingException"),
        (b'{"Text": "\\ud800"}', "InvalidEncodingException"),
        (b'{"Text": "' + b"x" * 500_000, "TextSizeLimitExceededException"),
    ):
        answer = service.http.post("/compat/comprehendmedical", content=body, headers=target)
        assert (answer.status_code, answer.json()["__type"]) == (400, name)
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    plain = service.http.post("/compat/comprehendmedical", content=b"x", headers={**target, "Content-Type": "text/css"})
    assert plain.json()["__type"] == "InvalidRequestException"


def test_signatures_are_verified_where_keys_are_set(running: Running) -> None:
    with running(comprehend_keys={"AKIDEXAMPLE": SECRET}) as service:
        assert aws(service, "AKIDEXAMPLE", SECRET).infer_icd10_cm(Text="Gout.")["Entities"]
        for key, secret, name in (
            ("AKIDEXAMPLE", "another", "InvalidSignatureException"),
            ("AKIDOTHER", SECRET, "UnrecognizedClientException"),
        ):
            with pytest.raises(ClientError) as refused:
                aws(service, key, secret).infer_icd10_cm(Text="Gout.")
            assert refused.value.response["Error"]["Code"] == name
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        unsigned = service.http.post("/compat/comprehendmedical", json={"Text": "Gout."})
        assert unsigned.json()["__type"] == "MissingAuthenticationTokenException"


def signed(url: str = "http://codes.example/compat/comprehendmedical?b=2&a=%20x", body: bytes = b"{}") -> Signed:
    """A request as botocore's signer makes it."""
    request = AWSRequest("POST", url, {"X-Amz-Target": "a  b", "Host": "codes.example"}, body)
    SigV4Auth(Credentials("AKIDEXAMPLE", SECRET), "comprehendmedical", "eu-west-1").add_auth(request)
    return Signed("POST", URL(url), Headers(dict(request.headers.items())), body)


def test_what_botocore_signs_is_verified() -> None:
    assert verify(signed(), {"AKIDEXAMPLE": SECRET}) == "AKIDEXAMPLE"


@pytest.mark.parametrize(
    "change",
    [
        lambda s: Signed("GET", s.url, s.headers, s.body),
        lambda s: Signed(s.method, s.url.replace(path="/other"), s.headers, s.body),
        lambda s: Signed(s.method, s.url.replace(query="a=1"), s.headers, s.body),
        lambda s: Signed(s.method, s.url, s.headers, b"[]"),
        lambda s: Signed(s.method, s.url, Headers({**s.headers, "x-amz-target": "c"}), s.body),
        lambda s: Signed(s.method, s.url, Headers({**s.headers, "x-amz-date": "20200101T000000Z"}), s.body),
        lambda s: Signed(s.method, s.url, Headers({**s.headers, "authorization": "Bearer x"}), s.body),
    ],
)
def test_any_change_is_refused(change: Callable[[Signed], Signed]) -> None:
    with pytest.raises(SignatureRefused):
        verify(change(signed()), {"AKIDEXAMPLE": SECRET})


def test_an_old_signature_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="five minutes"):
        verify(signed(), {"AKIDEXAMPLE": SECRET}, datetime.now(UTC) + timedelta(minutes=6))
