"""Django's classes that are generic for the type checker, and here at run time too: `class BotAdmin(ModelAdmin[Bot])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import models

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    ModelForm = models.ModelForm
else:

    class Subscriptable:
        def __class_getitem__(cls, item: Any) -> Any:
            return cls

    class ModelAdmin(Subscriptable, admin.ModelAdmin):
        pass

    class TabularInline(Subscriptable, admin.TabularInline):
        pass

    class ModelForm(Subscriptable, models.ModelForm):
        pass
