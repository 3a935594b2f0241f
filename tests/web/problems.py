"""What an error looks like: https://www.rfc-editor.org/rfc/rfc9457."""

from http import HTTPStatus

from tests.web.app import Answer


def check(answer: Answer, status: HTTPStatus) -> dict[str, str]:
    """Make sure that an answer is a problem document of this status; return its errors, by field."""
    assert answer.status == status, answer
    assert answer.content_type == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["title"] == status.phrase
    assert problem["status"] == status
    assert problem["detail"]
    return {error["field"]: error["detail"] for error in problem.get("errors", ())}
