from django.contrib import admin
from django.urls import path

from tasks import views

urlpatterns = [
    path("", views.tasks),
    path("healthz", views.health),
    path("admin/", admin.site.urls),
]
