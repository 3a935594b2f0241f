import azure.functions as func
import pytest

from local.host.errors import HostError
from local.host.indexing import index
from local.host.routing import Router


def router(*routes: str, prefix: str = "api") -> Router:
    """A router of functions that are named as their place among the routes."""
    app = func.FunctionApp()
    for place, route in enumerate(routes):
        app.function_name(f"f{place}")(app.route(route=route)(lambda req: None))
    return Router(index(app, settings={}), prefix=prefix)


def matched(routes: Router, path: str) -> tuple[str, dict[str, str]] | None:
    found = routes.match(method="GET", path=path)
    return None if found is None else (found.function.name, found.parameters)


@pytest.mark.parametrize(
    ("route", "path", "parameters"),
    [
        ("send", "/api/send", {}),
        ("send", "/API/Send/", {}),
        ("deliveries/{id}", "/api/deliveries/a~b", {"id": "a~b"}),
        ("deliveries/{id}", "/api/deliveries/a%20%C3%A4+b", {"id": "a ä+b"}),
        ("deliveries/{id}", "/api/deliveries/a%2Fb%2fc", {"id": "a%2Fb%2Fc"}),
        ("deliveries/{id?}", "/api/deliveries", {}),
        ("deliveries/{id?}", "/api/deliveries/x", {"id": "x"}),
        ("voice/flow/{flow}/{step}", "/api/voice/flow/main/start", {"flow": "main", "step": "start"}),
        ("files/{*rest}", "/api/files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "/api/files", {}),
        ("page/{n:int}", "/api/page/12", {"n": "12"}),
        ("page/{n:int?}", "/api/page", {}),
        (
            "of/{id:guid}",
            "/api/of/123E4567-e89b-12d3-a456-426614174000",
            {"id": "123E4567-e89b-12d3-a456-426614174000"},
        ),
        ("file/{name}.{ending}", "/api/file/a.b.txt", {"name": "a.b", "ending": "txt"}),
    ],
)
def test_a_path_that_fits_gives_its_decoded_parameters(route: str, path: str, parameters: dict[str, str]) -> None:
    assert matched(router(route), path) == ("f0", parameters)


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("send", "/api/send/more"),
        ("send", "/apisend"),
        ("send", "/api//send"),
        ("deliveries/{id}", "/api/deliveries"),
        ("deliveries/{id}", "/api/deliveries/a/b"),
        ("files/{*rest}", "/api/filesystem"),
        ("page/{n:int}", "/api/page/x"),
        ("dotted.name", "/api/dottedXname"),
    ],
)
def test_a_path_that_does_not_fit_has_no_match(route: str, path: str) -> None:
    assert matched(router(route), path) is None


def test_the_first_function_by_name_wins_where_two_routes_fit() -> None:
    assert matched(router("a/{x}", "a/b"), "/api/a/b") == ("f0", {"x": "b"})
    assert matched(router("a/b", "a/{x}"), "/api/a/b") == ("f0", {})


@pytest.mark.parametrize("route", ["/send", "~/send", "a/{n:range(1,2)}", "a/{b", "a/{b=1}"])
def test_a_template_that_is_not_understood_is_refused(route: str) -> None:
    with pytest.raises(HostError, match="function f0"):
        router(route)
