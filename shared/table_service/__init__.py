"""Azure's tables, spoken to by their REST protocol: what the SDK does with each call costs several times the call.

https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
"""
