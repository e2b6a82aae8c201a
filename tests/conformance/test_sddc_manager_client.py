# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's SDDC Manager understands vmware-sddc-manager, and vmware-sddc-manager understands the lab's SDDC Manager.

The client knows the errors 400, 404 and 500 of the documented operations; a 401 is to it an error without a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from vmware.sddc_manager.model_client import Error
from vmware.vapi.bindings.error import UnresolvedError, VapiError

from conformance.vendors import SddcManagerSdk

if TYPE_CHECKING:
    import requests

    from lab.client import Lab


@pytest.fixture
def sdk(lab: Lab, http: requests.Session) -> SddcManagerSdk:
    """The vendor's client, not signed in."""
    return SddcManagerSdk(http, lab["sddc_manager"])


def status_of(lab: Lab) -> int | None:
    return lab.requests("sddc_manager")[-1].status


def test_pair_is_created_and_its_access_token_reads_the_managers(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    assert status_of(lab) == 201
    assert pair.refresh_token.id
    page = sdk.with_token(pair.access_token).managers()
    assert [manager.fqdn for manager in page.elements] == ["sddc-manager.example.com"]
    assert page.page_metadata.total_elements == 1


@pytest.mark.parametrize("status", [200, 201])
def test_either_status_of_a_new_pair_is_read(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.change_settings("sddc_manager", create_status=status)
    assert sdk.create().access_token
    assert status_of(lab) == status


def test_refresh_token_yields_another_access_token_as_often_as_asked(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    tokens = {pair.access_token, *(sdk.refresh(pair.refresh_token.id) for _time in range(2))}
    assert len(tokens) == 3
    assert all(sdk.with_token(token).managers().elements for token in tokens)


def test_revocation_ends_the_refresh_token_and_not_the_access_token(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    assert sdk.invalidate(pair.refresh_token.id) is None
    assert status_of(lab) == 204
    assert sdk.with_token(pair.access_token).managers().elements


@pytest.mark.parametrize("status", [400, 404])
def test_refused_refresh_token_is_an_error_of_the_api(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.change_settings("sddc_manager", refused_status=status)
    with pytest.raises(Error) as caught:
        sdk.refresh("3c6b3c30-3bf2-480b-9539-8483699ab911")
    problem: Any = caught.value
    assert status_of(lab) == status
    assert problem.error_code == "REFRESH_TOKEN_NOT_FOUND"
    assert problem.message
    assert problem.reference_token


@pytest.mark.parametrize("status", [400, 500])
def test_every_documented_error_of_the_creation_is_read(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.fault("sddc_manager", "status", status=status, body={"errorCode": "SOME_CODE", "message": "Refused."})
    with pytest.raises(Error) as caught:
        sdk.create()
    assert caught.value.error_code == "SOME_CODE"


def test_wrong_password_is_an_error_that_the_client_has_no_name_for(lab: Lab, sdk: SddcManagerSdk) -> None:
    with pytest.raises(UnresolvedError):
        sdk.create(password="wrong")
    assert status_of(lab) == 401


def test_expired_access_token_is_a_401(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    lab.expire_tokens("sddc_manager", tokens=[pair.access_token])
    with pytest.raises(VapiError):
        sdk.with_token(pair.access_token).managers()
    assert status_of(lab) == 401
