"""Projects: those below a folder or an organisation, and what is to be known of each.

Folders are listed and not searched: a search leaves out in silence what the caller may not see, and a list that is
refused says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.api_core.gapic_v1.client_info import ClientInfo

from tuneform.errors import Terminal
from tuneform.platforms.vertex.clients import Clients
from tuneform.reconcile.estate import ProjectSeen

PAGE = 300
"""The most that a page of folders holds (Resource Manager v3)."""
OWNER = "roles/owner"
ACCOUNT = "serviceAccount:"


class Estate:
    """Resource Manager v3 by its official clients, over REST."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def projects(self, parent: str) -> AsyncIterator[ProjectSeen]:
        """The active projects right below `folders/N` or `organizations/N`.

        Raises what the clients raise: `Forbidden` for what may not be listed.
        """
        async for page in self._pages("projects", "list_projects", {"parent": parent}):
            for project in page.projects:
                if _is_active(project):
                    yield ProjectSeen(project.project_id, dict(project.labels))

    async def folders(self, parent: str) -> AsyncIterator[str]:
        """The active folders right below, as `folders/N`; raises like `projects`."""
        async for page in self._pages("folders", "list_folders", {"parent": parent}):
            for folder in page.folders:
                if _is_active(folder):
                    yield folder.name

    async def project(self, project_id: str) -> ProjectSeen:
        """A project with its labels, owners and roles, as far as they may be read.

        Raises:
            Terminal: it is being deleted. Others as the clients raise them.
        """
        from google.cloud import resourcemanager_v3  # noqa: PLC0415 (a third of a second, for audits alone)

        name = f"projects/{project_id}"
        labels: Mapping[str, str] = {}
        try:
            request = resourcemanager_v3.GetProjectRequest(name=name)
            found = await self._call("projects", "get_project", request, project_id)
        except exceptions.Forbidden:  # then it may still be readable where it counts
            pass
        else:
            if not _is_active(found):
                raise Terminal(
                    f"the project {project_id} is being deleted", remedy="take it out, or undelete it"
                )
            labels = dict(found.labels)
        return await self.with_policy(ProjectSeen(project_id, labels))

    async def with_policy(self, project: ProjectSeen) -> ProjectSeen:
        """The same with owners and roles, if they may be read."""
        from google.iam.v1 import iam_policy_pb2, options_pb2  # noqa: PLC0415

        # Version 3 shows bindings with a condition as they are.
        options = options_pb2.GetPolicyOptions(requested_policy_version=3)
        request = iam_policy_pb2.GetIamPolicyRequest(
            resource=f"projects/{project.project_id}", options=options
        )
        try:
            policy = await self._call("projects", "get_iam_policy", request, project.project_id)
        except exceptions.Forbidden:
            return project
        owners, roles = set(), dict[str, set[str]]()
        for binding in policy.bindings:
            for member in binding.members:
                if member.startswith(ACCOUNT):
                    roles.setdefault(member.removeprefix(ACCOUNT), set()).add(binding.role)
                elif binding.role == OWNER:
                    owners.add(member)
        return ProjectSeen(
            project.project_id,
            project.labels,
            tuple(sorted(owners)),
            {account: tuple(sorted(held)) for account, held in sorted(roles.items())},
        )

    async def _pages(self, service: str, method: str, fields: dict[str, Any]) -> AsyncIterator[Any]:
        from google.cloud import resourcemanager_v3  # noqa: PLC0415

        kind = getattr(resourcemanager_v3, f"List{service.capitalize()}Request")
        request = kind(page_size=PAGE, **fields)
        while True:
            page = await self._call(service, method, request, "")
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _call(self, service: str, method: str, request: Any, project: str) -> Any:
        def send(client: Any) -> Any:
            answer = getattr(client, method)(
                request=request,
                retry=None,
                timeout=self._clients.deadline,
                metadata=[("user-agent", self._clients.agent)],
            )
            return next(iter(answer.pages)) if hasattr(answer, "pages") else answer

        return await self._clients.rest(service, self._maker(service), send, project=project)

    def _maker(self, service: str) -> Callable[[Any], Any]:
        def make(credentials: Any) -> Any:
            from google.cloud import resourcemanager_v3  # noqa: PLC0415

            kind = getattr(resourcemanager_v3, f"{service.capitalize()}Client")
            endpoint = self._clients.endpoint
            made = kind(
                credentials=credentials,
                transport="rest",
                client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
                client_info=ClientInfo(user_agent=self._clients.agent),
            )
            if endpoint:
                made.transport._session.trust_env = False  # a proxy can have no part in calls to this machine
            return made

        return make


def _is_active(thing: Any) -> bool:
    """Whether a project or folder is there; a state that these clients do not know has no name."""
    return getattr(thing.state, "name", "") == "ACTIVE"
