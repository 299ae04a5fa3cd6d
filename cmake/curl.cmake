# STWATCH_WITH_CURL: http and https addresses as inputs.
if(NOT STWATCH_CURL)
	return()
endif()
target_include_directories(stwatch_objects SYSTEM PRIVATE ${STWATCH_CURL_INCLUDE})
target_compile_definitions(stwatch_objects PRIVATE STWATCH_CURL)
list(APPEND STWATCH_PART_LIBRARIES ${STWATCH_CURL_LIBRARY})
string(APPEND STWATCH_PART_MODULES " libcurl")
