from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from .models import Task


@require_http_methods(["GET", "POST"])
def tasks(request):
    if request.method == "POST":
        Task.objects.create(title=request.POST["title"][:200])
        return redirect("/")
    return render(request, "tasks.html", {"tasks": Task.objects.order_by("created")})


def health(_request):
    Task.objects.exists()
    return HttpResponse("ok")
