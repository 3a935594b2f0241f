"""An app that imports azure.functions, and does nothing."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("sms/status", methods=["POST"])
async def sms_status(_req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(status_code=204)
