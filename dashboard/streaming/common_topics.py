"""Which instruments go to everybody who asks for nothing in particular."""

from dashboard.core.directory import Directory
from dashboard.core.instruments import InstrumentKey
from dashboard.core.model import Topic


class CommonTopics(dict[Topic, bool]):
    """Tells of a topic whether its instrument is common; each is found out once.

    Common are those that stand, and of several with one symbol the first feed's; also what no
    feed lists, unless another instrument has its symbol.
    """

    def __init__(self) -> None:
        super().__init__()
        self._directory = Directory()

    def __missing__(self, topic: Topic) -> bool:
        common = self[topic] = _is_common((topic.exchange, topic.subject), self._directory)
        return common

    def look_into(self, directory: Directory) -> None:
        """Go by this directory from now on."""
        if directory is not self._directory:
            self._directory = directory
            self.clear()


def _is_common(key: InstrumentKey, directory: Directory) -> bool:
    if directory.is_on_demand(key):
        return False
    for namesake in directory.named(key[1]):
        if not directory.is_on_demand(namesake.key):
            return namesake.key == key
    return True
